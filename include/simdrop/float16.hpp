/// @file
/// 16-bit floating-point types as kernels see them in memory: bits without arithmetic.
#pragma once

#include <cstdint>

#include "simdrop/requirements.hpp"

namespace simdrop {

/// bfloat16: the upper half of an IEEE 754 binary32. Layout-compatible with std::uint16_t, and with
/// the bfloat16 of other libraries.
struct bfloat16 {          // NOLINT(readability-identifier-naming): as float and double are spelt
  std::uint16_t bits = 0;  ///< sign, 8 bits of exponent, 7 of fraction
};

/// IEEE 754 binary16. Layout-compatible with std::uint16_t, _Float16 and __fp16.
struct float16 {           // NOLINT(readability-identifier-naming)
  std::uint16_t bits = 0;  ///< sign, 5 bits of exponent, 10 of fraction
};

}  // namespace simdrop
