/// @file
/// Who runs a call: how many threads, and whose.
#pragma once

#include <cstddef>

#include "simdrop/api.h"
#include "simdrop/requirements.hpp"

/// Dropout for neural networks on the CPU: masks, fused kernels, and a small MLP runtime.
namespace simdrop {

/// Runs tasks on an application's own threads, instead of OpenMP's. Derive from it, and hand it to
/// calls in a Threads. It must live as long as the calls, and the objects, that were given it.
/// If it can be called from several threads at once, so can the library's functions with it.
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

/// Who runs a call. Results are the same, bit for bit, whatever it is.
///
/// With OpenMP a call that is made inside a parallel region of OpenMP runs on the thread that made
/// it; so does one in a child process of a fork() before which the library had used OpenMP's
/// threads (GCC's runtime would wait for threads that the child does not have). A child of a
/// process that used OpenMP by itself must ask for one thread, or bring an executor. A build
/// without OpenMP has one thread, and executors. With an executor it is the executor that runs a
/// call, wherever it is made.
struct Threads {
  /// At most so many threads, and at most 1024. 0: as many as OpenMP would take, or as the executor
  /// has. Less than 0 is an error.
  int count = 1;
  Executor* executor = nullptr;  ///< null: OpenMP

  /// At most so many of OpenMP's threads. Implicit: a number is enough for a call.
  constexpr Threads(int count_ = 1) noexcept : count(count_) {}  // NOLINT
  /// An executor, and at most so many of its threads. Implicit too.
  constexpr Threads(Executor& executor_, int count_ = 0) noexcept  // NOLINT
      : count(count_), executor(&executor_) {}
};

}  // namespace simdrop
