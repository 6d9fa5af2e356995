// How many threads an executor has for tasks that wait for each other.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <thread>

#include "simdrop/threads.hpp"

namespace test {

// Starts `count` tasks, of which each waits until all run, or for some seconds.
inline int threads_that_run(simdrop::Executor& executor, std::size_t count) {
  struct Meeting {
    std::size_t count;
    std::atomic<int> arrived{0};
    std::atomic<int> most{0};
  } meeting{count};
  executor.parallel_for(
      count,
      [](void* context, std::size_t) noexcept {
        auto& m = *static_cast<Meeting*>(context);
        const int now = ++m.arrived;
        int most = m.most;
        while (most < now && !m.most.compare_exchange_weak(most, now)) {
        }
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
        while (m.most < static_cast<int>(m.count) && std::chrono::steady_clock::now() < end) {
          std::this_thread::yield();
        }
        if (m.most < static_cast<int>(m.count)) --m.arrived;
      },
      &meeting);
  return meeting.most;
}

}  // namespace test
