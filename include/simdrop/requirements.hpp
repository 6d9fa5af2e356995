/// @file
/// What the C++ headers need of the program that includes them.
#pragma once

// A file that is not there stops compilers at once; an #error would be the first of many.
#if __cplusplus <= 201703L
#include "simdrop needs C++20: compile with -std=c++20, or set CMAKE_CXX_STANDARD to 20"
#endif

#include <cstddef>

/// Marks classes that hold containers, whose layout is not the same in every mode of the standard
/// library: where it is not the usual one, their names say so to the linker. A program and a
/// library that were compiled differently do not link, and the message names this mark.
#if defined(_GLIBCXX_DEBUG)
#define SIMDROP_CONTAINERS __attribute__((abi_tag("needs_a_simdrop_built_with_GLIBCXX_DEBUG")))
#elif defined(_LIBCPP_VERSION) && !defined(__APPLE__)
#define SIMDROP_CONTAINERS __attribute__((abi_tag("needs_a_simdrop_built_with_libcxx")))
#else
#define SIMDROP_CONTAINERS
#endif
