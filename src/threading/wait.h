// How a thread waits for another: it spins while the other is likely to be done in a moment, then
// it sleeps. Who spins for long takes the core from the thread that it waits for.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>

namespace simdrop::detail {

// For how long it is worth to spin, at one place where threads wait. Sleeping and waking take some
// 5 to 50 microseconds; a thread that spins for as long does at most twice the best. Where waits
// are longer, because the other thread does not run, it spins for half the time in each further
// one.
class Patience {
 public:
  static constexpr std::chrono::nanoseconds most{50'000};

  [[nodiscard]] std::chrono::nanoseconds time() const noexcept {
    return std::chrono::nanoseconds(time_.load(std::memory_order_relaxed));
  }
  void waited(std::chrono::nanoseconds how_long) noexcept {
    const auto now = time_.load(std::memory_order_relaxed);
    const bool worth_it = how_long <= 2 * most;
    time_.store(worth_it ? std::min(2 * now + 1000, most.count()) : now / 2,
                std::memory_order_relaxed);
  }

 private:
  std::atomic<std::chrono::nanoseconds::rep> time_{most.count()};
};

inline void relax_cpu() noexcept {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("isb" ::: "memory");  // yield does nothing there
#endif
}

// Whether done() became true within `time`, or in the first microsecond or so.
template <class Done>
bool spin(std::chrono::nanoseconds time, Done done) noexcept {
  constexpr int looks = 32;  // between two looks at the clock
  const auto look = [&] {
    for (int i = 0; i < looks; ++i) {
      if (done()) return true;
      relax_cpu();
    }
    return done();
  };
  if (look()) return true;
  if (time.count() == 0) return false;
  const auto end = std::chrono::steady_clock::now() + time;
  while (std::chrono::steady_clock::now() < end) {
    if (look()) return true;
  }
  return false;
}

// Returns when done(value) is true; who makes it so calls value.notify_one() or notify_all(). Says
// how long that took, 0 for about a microsecond.
template <class T, class Done>
std::chrono::nanoseconds wait_until(const std::atomic<T>& value, Done done,
                                    Patience& patience) noexcept {
  const auto is_done = [&] { return done(value.load(std::memory_order_acquire)); };
  if (spin(std::chrono::nanoseconds(0), is_done)) return std::chrono::nanoseconds(0);
  const auto begin = std::chrono::steady_clock::now();
  if (!spin(patience.time(), is_done)) {
    for (T now = value.load(std::memory_order_acquire); !done(now);
         now = value.load(std::memory_order_acquire)) {
      value.wait(now, std::memory_order_acquire);
    }
  }
  const std::chrono::nanoseconds time = std::chrono::steady_clock::now() - begin;
  patience.waited(time);
  return time;
}

}  // namespace simdrop::detail
