// Somebody else's parallel region. parallel_region.cpp alone is compiled with OpenMP.
#pragma once

#include <functional>
#include <vector>

namespace test {

// Runs fn(rank) for each rank below n, each on a thread of its own of one OpenMP team (fewer
// threads, with more ranks each, if it has fewer); one after the other without OpenMP. fn must not
// throw. Other teams may start within that one.
void in_parallel_region(int n, const std::function<void(int)>& fn);

/// OpenMP's settings of the calling thread; none without OpenMP.
std::vector<int> openmp_settings();

}  // namespace test
