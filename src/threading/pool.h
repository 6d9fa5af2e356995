// Workers that any thread may use, in a process and in its children.
#pragma once

#include <atomic>
#include <cstddef>

#include "simdrop/threads.hpp"
#include "threading/together.h"

namespace simdrop::detail {

class Pool {
 public:
  // At most so many workers. Starts none.
  explicit Pool(std::size_t most_workers) noexcept : most_workers_(most_workers) {}
  // Ends the threads; not during run(), and not those of a process that this one is a child of.
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  // Starts as many workers as there may be, or as the system grants. Throws std::bad_alloc.
  void start();

  // Threads that a call has: this one and the workers.
  [[nodiscard]] std::size_t threads() const noexcept;

  // As Executor::parallel_for(), with what workers there are, after starting those that are
  // lacking. What is called while another call uses them, or from a task, runs on its own thread.
  void run(std::size_t count, Executor::Task task, void* context) noexcept;

  [[nodiscard]] Together& together() noexcept { return together_; }

 private:
  struct OfProcess;
  OfProcess* of_this_process() noexcept;

  std::size_t most_workers_;
  std::atomic<OfProcess*> of_process_{nullptr};
  Together together_;
};

// The pool that a ThreadPool is.
struct PoolAccess {
  static Pool& pool(ThreadPool& outer) noexcept;
};

// What runs calls where OpenMP does not. Never ends.
Pool& default_pool() noexcept;

}  // namespace simdrop::detail
