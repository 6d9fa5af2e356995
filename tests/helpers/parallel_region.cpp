#include "parallel_region.h"

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

}  // namespace test
