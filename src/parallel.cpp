#include "parallel.h"

#include <algorithm>

#ifdef SIMDROP_WITH_OPENMP
#include <omp.h>
#endif

namespace simdrop::detail {

namespace {

// More threads than a machine has are no help, and one that runs out of them may end the program.
constexpr int max_team = 1024;

}  // namespace

std::size_t largest_team(const Threads& threads) noexcept {
#ifdef SIMDROP_WITH_OPENMP
  const int count = threads.count > 0 ? threads.count : omp_get_max_threads();
  return static_cast<std::size_t>(std::clamp(count, 1, max_team));
#else
  static_cast<void>(threads);
  return 1;
#endif
}

std::size_t team_size(const Threads& threads) noexcept {
#ifdef SIMDROP_WITH_OPENMP
  if (omp_in_parallel() != 0) return 1;
#endif
  return largest_team(threads);
}

void parallel_ranges(std::size_t n, std::size_t grain, const Threads& threads, RangeFn fn,
                     void* context) {
  if (n == 0) return;
  const std::size_t grains = (n + grain - 1) / grain;
  std::size_t team = team_size(threads);
  if (team > grains) team = grains;
  if (team <= 1) {
    fn(context, 0, n);
    return;
  }
#ifdef SIMDROP_WITH_OPENMP
#pragma omp parallel num_threads(static_cast <int>(team))
  {
    // The runtime may grant fewer threads than asked for: split by what is there.
    const auto granted = static_cast<std::size_t>(omp_get_num_threads());
    const auto rank = static_cast<std::size_t>(omp_get_thread_num());
    const std::size_t begin = grains * rank / granted * grain;
    const std::size_t end = grains * (rank + 1) / granted * grain;
    if (begin < end) fn(context, begin, end < n ? end : n);
  }
#endif
}

void TeamMember::barrier() const noexcept {
#ifdef SIMDROP_WITH_OPENMP
  if (size > 1) {
#pragma omp barrier
  }
#endif
}

void parallel_team(const Threads& threads, MemberFn fn, void* context) {
  const auto team = static_cast<int>(team_size(threads));
  if (team <= 1) {
    fn(context, {});
    return;
  }
#ifdef SIMDROP_WITH_OPENMP
#pragma omp parallel num_threads(team)
  fn(context, {static_cast<std::size_t>(omp_get_thread_num()),
               static_cast<std::size_t>(omp_get_num_threads())});
#endif
}

}  // namespace simdrop::detail
