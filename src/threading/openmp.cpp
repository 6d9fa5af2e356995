#include "threading/openmp.h"

#ifdef SIMDROP_WITH_OPENMP
#include <omp.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdlib>

#include "threading/never_destroyed.h"
#include "threading/process.h"
#else
#include <cstdint>
#endif

namespace simdrop::detail {

#ifdef SIMDROP_WITH_OPENMP
namespace {

// The process in which this library asked OpenMP anything first, if any. A child that is forked
// later has no threads of OpenMP's: GCC's runtime would wait for them forever, and LLVM's for locks
// that they had, even to answer a question.
constexpr unsigned none = ~0U;
std::atomic<unsigned> depth_of_use{none};

// Whether this process may call OpenMP. Its threads outlive the region that started them, asleep in
// the runtime's code: that stays loaded, whatever becomes of this library.
bool may_call_openmp() noexcept {
  const unsigned depth = depth_of_use.load(std::memory_order_relaxed);
  if (depth != none) return depth == fork_depth();
  if (!watch_forks()) return false;
  keep_loaded(reinterpret_cast<const void*>(&omp_get_max_threads));
  depth_of_use.store(fork_depth(), std::memory_order_relaxed);
  return true;
}

// Inside a parallel region every thread has work already.
bool may_start_team() noexcept {
  return may_call_openmp() && omp_in_parallel() == 0;
}

class OpenMpExecutor final : public Executor {
 public:
  [[nodiscard]] int max_concurrency() const noexcept override {
    return may_start_team() ? static_cast<int>(openmp_threads()) : 1;
  }
  void parallel_for(std::size_t count, Task task, void* context) override {
    if (count <= 1 || !may_start_team()) {
      for (std::size_t i = 0; i < count; ++i) task(context, i);
      return;
    }
    const int threads = static_cast<int>(std::min<std::size_t>(count, max_threads));
#pragma omp parallel num_threads(threads)
    {
      // The runtime may grant fewer threads than asked for.
      const auto granted = static_cast<std::size_t>(omp_get_num_threads());
      for (auto i = static_cast<std::size_t>(omp_get_thread_num()); i < count; i += granted) {
        task(context, i);
      }
    }
  }

 private:
  static constexpr std::size_t max_threads = 1 << 16;
};

}  // namespace

bool openmp_is_set_up() noexcept {
  static const bool set_up = [] {
    for (const char* name : {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME", "OMP_PROC_BIND",
                             "OMP_PLACES", "GOMP_CPU_AFFINITY", "KMP_AFFINITY"}) {
      if (std::getenv(name) != nullptr) return true;
    }
    return false;
  }();
  return set_up && may_call_openmp();
}

bool in_openmp_region() noexcept {
  return may_call_openmp() && omp_in_parallel() != 0;
}

std::size_t openmp_threads() noexcept {
  if (!may_call_openmp()) return SIZE_MAX;
  return static_cast<std::size_t>(
      std::max(std::min(omp_get_max_threads(), omp_get_num_procs()), 1));
}

#else

bool openmp_is_set_up() noexcept {
  return false;
}

bool in_openmp_region() noexcept {
  return false;
}

std::size_t openmp_threads() noexcept {
  return SIZE_MAX;
}

#endif

}  // namespace simdrop::detail

namespace simdrop {

Executor* openmp_executor() noexcept {
#ifdef SIMDROP_WITH_OPENMP
  return &detail::never_destroyed<detail::OpenMpExecutor>();
#else
  return nullptr;
#endif
}

}  // namespace simdrop
