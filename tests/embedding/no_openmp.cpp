// A build without OpenMP.
#include <doctest/doctest.h>

#include "helpers/pools.h"
#include "simdrop/threads.hpp"
#include "threading/cpus.h"
#include "threading/parallel.h"

TEST_CASE("embedding: without OpenMP the library's own threads run calls") {
  test::QueuePool pool(2);
  CHECK(simdrop::openmp_executor() == nullptr);
  CHECK(simdrop::detail::team_size(8) == 8);
  CHECK(simdrop::detail::team_size(0) == simdrop::detail::usable_cpus());
  CHECK(simdrop::detail::team_size(pool) == 3);
}
