// Refuses compiler modes in which results would be others, or not the same on every instruction
// set. cmake/compiler_modes.cmake takes such modes back; this stops builds that go round it.
// (Contraction to FMA has no macro: tests of the kernels see it.)
#pragma once

#include <cfloat>

// GCC says all in one macro; clang has none for some of its modes.
#if defined(__FAST_MATH__) || (defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__ > 0) || \
    defined(__ASSOCIATIVE_MATH__) || defined(__RECIPROCAL_MATH__) ||                         \
    defined(__NO_SIGNED_ZEROS__) || defined(__ROUNDING_MATH__) ||                            \
    (defined(__GCC_IEC_559) && __GCC_IEC_559 < 2)
#error "simdrop: no -ffast-math, nor parts of it: results would be wrong. Add -fno-fast-math last."
#endif

#if __FLT_EVAL_METHOD__ != 0 || FLT_RADIX != 2 || FLT_MANT_DIG != 24 || FLT_MAX_EXP != 128 || \
    DBL_MANT_DIG != 53 || DBL_MAX_EXP != 1024
#error "simdrop: float and double must be those of IEEE 754, and computed as such (on x86 by SSE)."
#endif
