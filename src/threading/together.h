// Whether it pays to share a call among threads. On a machine that has other work, members of a
// team wait for one that does not run; then a call takes several times as long as on one thread.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>

namespace simdrop::detail {

// Tests want teams whatever they cost.
inline std::atomic<bool> always_together{false};

// What shared calls have lost, against the same work on one thread, is at most a tenth of the time
// that calls take: after a loss calls run on one thread until a further loss can be borne.
class Together {
 public:
  using Time = std::chrono::nanoseconds;

  [[nodiscard]] bool pays() const noexcept {
    return saved_.load(std::memory_order_relaxed) >= 0 ||
           always_together.load(std::memory_order_relaxed);
  }

  // For how long to wait for members that have not come: a pool's threads wake up within some 50
  // microseconds, so nothing where little is saved.
  [[nodiscard]] Time join_time() const noexcept {
    const Count saved = saved_.load(std::memory_order_relaxed);
    if (always_together.load(std::memory_order_relaxed)) return Time(most);
    return Time(saved < most / 2 ? 0 : saved);
  }

  // A call took `total`, in which all its threads together were busy for `busy`, waiting for each
  // other not counted: about what one thread would have taken.
  void took(Time total, Time busy) noexcept {
    const Count loss = std::max<Count>((total - busy).count(), 0);
    const Count saved = saved_.load(std::memory_order_relaxed) + total.count() / 10 - loss;
    saved_.store(std::clamp(saved, least, most), std::memory_order_relaxed);
  }

 private:
  using Count = Time::rep;
  // With nothing lost for half a second, it is tried again.
  static constexpr Count most = 100'000, least = -50'000'000;
  std::atomic<Count> saved_{most};
};

}  // namespace simdrop::detail
