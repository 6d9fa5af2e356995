// What openmp_executor() and the choice of threads must know of OpenMP. No other file uses it.
#pragma once

#include <cstddef>

#include "simdrop/threads.hpp"

namespace simdrop::detail {

// Whether the program's environment says how OpenMP's threads wait, or where they run; false where
// OpenMP cannot be asked: in a build without it, and in the child of a process that has asked.
bool openmp_is_set_up() noexcept;

// Whether this is inside somebody's parallel region, where every thread has work already.
bool in_openmp_region() noexcept;

// Threads that OpenMP would take; SIZE_MAX where it cannot be asked.
std::size_t openmp_threads() noexcept;

}  // namespace simdrop::detail
