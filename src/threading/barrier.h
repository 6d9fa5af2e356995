// Where the members of a team wait for each other, if they are not OpenMP's.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <thread>

namespace simdrop::detail {

class TeamBarrier {
 public:
  // Returns when `size` members have called it: what they wrote before is visible.
  void wait(std::size_t size) noexcept {
    const std::uint32_t phase = phase_.load(std::memory_order_relaxed);
    if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == size) {
      arrived_.store(0, std::memory_order_relaxed);
      phase_.store(phase + 1, std::memory_order_release);
      phase_.notify_all();
      return;
    }
    // Most waits are short, and sleeping is not; but the others may need this core.
    for (int i = 0; i < spins + yields; ++i) {
      if (phase_.load(std::memory_order_acquire) != phase) return;
      if (i >= spins) std::this_thread::yield();
    }
    phase_.wait(phase, std::memory_order_acquire);
  }

 private:
  static constexpr int spins = 1000, yields = 50;

  std::atomic<std::size_t> arrived_{0};
  std::atomic<std::uint32_t> phase_{0};
};

}  // namespace simdrop::detail
