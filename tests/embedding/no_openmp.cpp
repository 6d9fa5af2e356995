// A build without OpenMP.
#include <doctest/doctest.h>

#include "helpers/pools.h"
#include "threading/parallel.h"

TEST_CASE("embedding: without OpenMP there is one thread, and executors") {
  test::ThreadPool pool(2);
  CHECK(simdrop::detail::team_size(8) == 1);
  CHECK(simdrop::detail::team_size(0) == 1);
  CHECK(simdrop::detail::team_size(pool) == 3);
}
