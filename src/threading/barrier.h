// Where the members of a team wait for each other.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "threading/wait.h"

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
    const auto time = wait_until(
        phase_, [&](std::uint32_t now) { return now != phase; }, patience_);
    waited_.fetch_add(time.count(), std::memory_order_relaxed);
  }

  // What all members together have waited.
  [[nodiscard]] std::chrono::nanoseconds waited() const noexcept {
    return std::chrono::nanoseconds(waited_.load(std::memory_order_relaxed));
  }

 private:
  std::atomic<std::size_t> arrived_{0};
  std::atomic<std::uint32_t> phase_{0};
  Patience patience_;
  std::atomic<std::chrono::nanoseconds::rep> waited_{0};
};

}  // namespace simdrop::detail
