#include "helpers/parallel_region.h"

#ifdef _OPENMP
#include <omp.h>
#endif

namespace test {

void in_parallel_region(int n, const std::function<void(int)>& fn) {
#ifdef _OPENMP
  // Without this OpenMP itself would keep an inner region to one thread.
  const int levels = omp_get_max_active_levels();
  omp_set_max_active_levels(4);
#pragma omp parallel for num_threads(n) schedule(static, 1)
#endif
  for (int rank = 0; rank < n; ++rank) fn(rank);
#ifdef _OPENMP
  omp_set_max_active_levels(levels);
#endif
}

std::vector<int> openmp_settings() {
#ifdef _OPENMP
  omp_sched_t kind = omp_sched_static;
  int chunk = 0;
  omp_get_schedule(&kind, &chunk);
  return {omp_get_max_threads(),       omp_get_dynamic(),      omp_get_thread_limit(),
          omp_get_max_active_levels(), static_cast<int>(kind), chunk,
          omp_get_num_threads(),       omp_get_proc_bind()};
#else
  return {};
#endif
}

}  // namespace test
