// How many cases a test takes where this program runs.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <vector>

#include "simdrop/isa.hpp"

namespace test {

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SIMDROP_TEST_TSAN
#elif __has_feature(address_sanitizer)
#define SIMDROP_TEST_SANITIZED
#endif
#elif defined(__SANITIZE_THREAD__)
#define SIMDROP_TEST_TSAN
#elif defined(__SANITIZE_ADDRESS__)
#define SIMDROP_TEST_SANITIZED
#endif
#if defined(SIMDROP_TEST_TSAN)
#define SIMDROP_TEST_SANITIZED
#endif

// Whether the tests run under an emulator: whoever starts them there says so.
inline bool emulated() {
  static const bool is = std::getenv("SIMDROP_TEST_EMULATED") != nullptr;
  return is;
}

// Whether a child of fork() may start threads. ThreadSanitizer ends it, and qemu-user fails at it
// now and then.
inline bool children_may_start_threads() {
#if defined(SIMDROP_TEST_TSAN)
  return false;
#else
  return !emulated();
#endif
}

// One of how many cases to take: all of them only where native, optimised SIMD code runs.
inline std::size_t case_stride() {
#if defined(SIMDROP_TEST_SANITIZED) || !defined(__OPTIMIZE__)
  return 23;
#else
  if (emulated()) return 23;
  return simdrop::active_isa() == simdrop::Isa::scalar ? 3 : 1;
#endif
}

// Numbers of threads on which a result must be the same; 0 is as many as there are.
inline std::vector<int> thread_counts() {
  if (case_stride() > 3) return {0, 2, 3, 8};
  return {0, 1, 2, 3, 4, 5, 6, 7, 8};
}

}  // namespace test
