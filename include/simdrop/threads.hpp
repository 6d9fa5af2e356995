/// @file
/// Who runs a call: how many threads, and whose.
#pragma once

#include <cstddef>
#include <memory>

#include "simdrop/api.h"
#include "simdrop/requirements.hpp"

/// Dropout for neural networks on the CPU: masks, fused kernels, and a small MLP runtime.
namespace simdrop {

namespace detail {
struct [[gnu::visibility("hidden")]] PoolAccess;
}

/// Runs tasks on an application's own threads, instead of the library's. Derive from it, and hand
/// it to calls in a Threads. It must live as long as the calls, and the objects, that were given
/// it. If it can be called from several threads at once, so can the library's functions with it.
class SIMDROP_API Executor {
 public:
  /// What parallel_for() runs; never throws.
  using Task = void (*)(void* context, std::size_t index) noexcept;

  virtual ~Executor();

  /// Tasks that can run at once; less than 1 counts as 1. Asked anew by every call.
  [[nodiscard]] virtual int max_concurrency() const noexcept = 0;

  /// Must call task(context, i) exactly once for each i in [0, count), on any threads, the caller's
  /// included, at once or one after the other, in any order, and return when all have returned.
  /// Results do not depend on how. Tasks wait for each other only if they run at once, so any
  /// number of threads will do, one too.
  /// It is called in the default floating-point environment, and must leave it so. Tasks compute in
  /// that one on every thread, and give each thread its own back.
  /// The library asks for at most max_concurrency() tasks, and for none where one thread is enough.
  /// An exception passes through to the library's caller; one that calls a task twice or not at all
  /// makes the call throw std::runtime_error. What the call writes is unspecified in both cases.
  virtual void parallel_for(std::size_t count, Task task, void* context) = 0;

 protected:
  // Only a class that derives from it is made or copied.
  Executor() = default;                            ///< @private
  Executor(const Executor&) = default;             ///< @private
  Executor(Executor&&) = default;                  ///< @private
  Executor& operator=(const Executor&) = default;  ///< @private
  Executor& operator=(Executor&&) = default;       ///< @private
};

/// An Executor with threads of its own. A thread that has nothing to do spins for 50 microseconds
/// at most, and then sleeps. A call waits for no thread that has not begun its part: it does that
/// part itself, so a machine that is busy with other work delays it little. Any number of threads
/// may use one pool at the same time; what is called while another call has the pool's threads, or
/// from one of its tasks, runs on the thread that calls.
///
/// The threads run on the CPUs that the thread which makes the pool may run on, and take none of
/// the program's signals. A child process made by fork() has none of them, and gets its own in its
/// first call. The pool must outlive the calls and objects that were given it; in a plugin it must
/// be destroyed before the plugin is unloaded.
class SIMDROP_API ThreadPool final : public Executor {
 public:
  /// Starts threads, so that with the calling one there are `count`, and at most 1024; as many as
  /// the system grants if that is fewer. 0: as many as this process may use, by its affinity and by
  /// the CPU quota of its control groups (rounded up). Throws std::invalid_argument if it is
  /// negative, and std::bad_alloc.
  explicit ThreadPool(int count = 0);
  /// Ends its threads.
  ~ThreadPool() override;
  ThreadPool(const ThreadPool&) = delete;             ///< @private
  ThreadPool& operator=(const ThreadPool&) = delete;  ///< @private

  /// Threads that it has, the one that calls included.
  [[nodiscard]] int max_concurrency() const noexcept override;
  /// Throws nothing.
  void parallel_for(std::size_t count, Task task, void* context) override;

 private:
  friend struct detail::PoolAccess;
  struct State;
  std::unique_ptr<State> state_;
};

/// OpenMP's threads as an Executor, for a program that shares them among its own parallel regions
/// and the library; nullptr in a build without OpenMP. Any thread may call it, and use what it
/// returns. A call that is made inside a parallel region, or in the child of a process in which
/// the library has asked OpenMP anything, runs on the thread that makes it (GCC's runtime would
/// wait for threads that the child does not have; the child of a process that used OpenMP by itself
/// must not use it). How these threads wait is OpenMP's: by default GCC's spin for milliseconds.
/// When OpenMP's runtime gets no thread, it ends the program.
SIMDROP_API Executor* openmp_executor() noexcept;

/// Who runs a call. Results are the same, bit for bit, whatever it is.
///
/// Without an executor it is a ThreadPool of the library's own, which starts its threads when a
/// call wants them and lives as long as the process; the library then stays loaded, whoever unloads
/// it. It is openmp_executor() instead, where the program's environment sets OpenMP up: one of
/// OMP_WAIT_POLICY, GOMP_SPINCOUNT, KMP_BLOCKTIME, OMP_PROC_BIND, OMP_PLACES, GOMP_CPU_AFFINITY and
/// KMP_AFFINITY. A call that is made inside a parallel region of OpenMP runs on the thread that
/// made it in both cases. With an executor it is the executor that runs a call, wherever it is
/// made.
struct Threads {
  /// At most so many threads, and at most 1024. 0: as many as the executor has; without one, as
  /// many as this process may use, by its affinity, the CPU quota of its control groups (rounded
  /// up) and, in a build with OpenMP, OMP_NUM_THREADS and what else OpenMP counts. Less than 0 is
  /// an error.
  int count = 1;
  Executor* executor = nullptr;  ///< null: the library's threads

  /// At most so many of the library's threads. Implicit: a number is enough for a call.
  constexpr Threads(int count_ = 1) noexcept : count(count_) {}  // NOLINT
  /// An executor, and at most so many of its threads. Implicit too.
  constexpr Threads(Executor& executor_, int count_ = 0) noexcept  // NOLINT
      : count(count_), executor(&executor_) {}
};

}  // namespace simdrop
