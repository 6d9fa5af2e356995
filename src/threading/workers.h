// Threads of our own that run an executor's tasks, beside the thread that calls.
#pragma once

#include <pthread.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "simdrop/threads.hpp"
#include "threading/team.h"
#include "threading/wait.h"

namespace simdrop::detail {

class Workers {
 public:
  Workers() = default;
  // Ends the threads. Not while run() is on its way.
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  [[nodiscard]] std::size_t size() const noexcept { return size_.load(std::memory_order_relaxed); }

  // Starts threads until there are `count`; once the system has granted no more, none. Not at the
  // same time as another grow() or run().
  void grow(std::size_t count) noexcept;

  // Calls task(context, i) once for each i in [0, count), on this thread and on those that come in
  // time: what none has begun this thread does itself, so it waits for what is being done alone.
  // Not at the same time as another run().
  void run(std::size_t count, Executor::Task task, void* context) noexcept;

 private:
  // A thread has the same task of each job, if it comes in time: what it works on is in its cache.
  // The caller has number 0.
  void work(std::size_t number) noexcept;
  // Whether there was a task that nobody had begun.
  bool run_task(std::size_t number) noexcept;
  bool claim(std::size_t& index, std::size_t number) noexcept;
  void wake(std::size_t threads) noexcept;

  struct Thread {
    Workers* workers = nullptr;
    std::size_t number = 0;
    pthread_t handle{};
  };
  static void* main(void* thread) noexcept;

  std::array<Thread, max_team> threads_{};
  std::atomic<std::size_t> size_{0};
  bool refused_ = false;

  // The job: written before its bits are set, and not changed before all its tasks are done.
  std::atomic<Executor::Task> task_{nullptr};
  std::atomic<void*> context_{nullptr};
  std::atomic<std::size_t> first_{0};                             // index of its first task
  std::array<std::atomic<std::uint64_t>, max_team / 64> left_{};  // a bit: nobody has begun it
  std::atomic<std::uint32_t> unfinished_{0};
  std::atomic<std::uint32_t> signal_{0};  // changes when there is something to do
  std::atomic<bool> stopping_{false};
  Patience caller_patience_;
};

}  // namespace simdrop::detail
