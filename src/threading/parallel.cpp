#include "threading/parallel.h"

#include <algorithm>

#include "base/float_environment.h"
#include "threading/barrier.h"
#include "threading/executor_team.h"

#ifdef SIMDROP_WITH_OPENMP
#include <dlfcn.h>
#include <omp.h>
#include <unistd.h>

#include <atomic>
#endif

namespace simdrop::detail {

#ifdef SIMDROP_WITH_OPENMP
namespace {

// The process in which this library started OpenMP's threads first. A child that is forked later
// has no such threads, and GCC's runtime would wait for them forever.
std::atomic<pid_t> process_of_threads{0};

// OpenMP's threads outlive the region that started them, asleep in the runtime's code. If that were
// unloaded, as it is with the last library that links it, they would wake up in unmapped memory: it
// stays loaded, whatever becomes of this library.
void keep_runtime_loaded() noexcept {
  Dl_info runtime{};
  if (dladdr(reinterpret_cast<void*>(&omp_get_max_threads), &runtime) == 0) return;
  // A second handle that is never closed; null where the runtime is part of the program itself.
  static_cast<void>(dlopen(runtime.dli_fname, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE));
}

// Before OpenMP may start threads.
void before_threads() noexcept {
  if (process_of_threads.load(std::memory_order_relaxed) != 0) return;
  keep_runtime_loaded();
  process_of_threads.store(getpid(), std::memory_order_relaxed);
}

bool in_child() noexcept {
  const pid_t process = process_of_threads.load(std::memory_order_relaxed);
  return process != 0 && process != getpid();
}

}  // namespace
#endif

std::size_t largest_team(const Threads& threads) noexcept {
  if (threads.executor != nullptr) return executor_size(threads, max_team);
#ifdef SIMDROP_WITH_OPENMP
  const int count = threads.count > 0 ? threads.count : omp_get_max_threads();
  return std::clamp<std::size_t>(static_cast<std::size_t>(count), 1, max_team);
#else
  return 1;
#endif
}

std::size_t team_size(const Threads& threads) noexcept {
  const std::size_t team = largest_team(threads);
#ifdef SIMDROP_WITH_OPENMP
  if (team == 1 || threads.executor != nullptr) return team;
  if (omp_in_parallel() != 0 || in_child()) return 1;
#endif
  return team;
}

void parallel_ranges(std::size_t n, std::size_t grain, const Threads& threads, RangeFn fn,
                     void* context) {
  if (n == 0) return;
  const std::size_t grains = (n + grain - 1) / grain;
  const std::size_t team = grains == 1 ? 1 : std::min(team_size(threads), grains);
  if (team == 1) {
    fn(context, 0, n);
    return;
  }
  if (threads.executor != nullptr) {
    executor_ranges(*threads.executor, n, grain, team, fn, context);
    return;
  }
#ifdef SIMDROP_WITH_OPENMP
  before_threads();
#pragma omp parallel num_threads(static_cast <int>(team))
  {
    const DefaultFloats floats;
    // The runtime may grant fewer threads than asked for: split by what is there.
    const auto granted = static_cast<std::size_t>(omp_get_num_threads());
    const auto rank = static_cast<std::size_t>(omp_get_thread_num());
    const Range range = share(n, grain, rank, granted);
    if (!range.empty()) fn(context, range.begin, range.end);
  }
#endif
}

void TeamMember::barrier() const noexcept {
  if (size == 1) return;
  if (own_barrier != nullptr) {
    own_barrier->wait(size);
    return;
  }
#ifdef SIMDROP_WITH_OPENMP
#pragma omp barrier
#endif
}

void parallel_team(const Threads& threads, MemberFn fn, void* context) {
  const std::size_t team = team_size(threads);
  if (team == 1) {
    fn(context, {});
    return;
  }
  if (threads.executor != nullptr) {
    executor_team(*threads.executor, team, fn, context);
    return;
  }
#ifdef SIMDROP_WITH_OPENMP
  before_threads();
#pragma omp parallel num_threads(static_cast <int>(team))
  {
    const DefaultFloats floats;
    fn(context, {static_cast<std::size_t>(omp_get_thread_num()),
                 static_cast<std::size_t>(omp_get_num_threads())});
  }
#endif
}

}  // namespace simdrop::detail
