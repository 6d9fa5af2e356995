// Elements in memory and in arithmetic, in plain C++: the scalar table, and the tails of the vector
// ones. Conversions to 16 bits round to nearest even; a NaN stays one: quiet, with the upper bits
// of its payload, as the hardware's conversions have it.
#pragma once

#include <cstdint>

#include "simdrop/float16.hpp"

namespace simdrop::detail {
namespace {

inline std::uint32_t float_bits(float x) {
  std::uint32_t bits;
  __builtin_memcpy(&bits, &x, sizeof bits);
  return bits;
}

inline float bits_float(std::uint32_t bits) {
  float x;
  __builtin_memcpy(&x, &bits, sizeof x);
  return x;
}

inline float to_arithmetic(float x) {
  return x;
}
inline double to_arithmetic(double x) {
  return x;
}
inline float to_arithmetic(bfloat16 x) {
  return bits_float(std::uint32_t{x.bits} << 16);
}
inline float to_arithmetic(float16 x) {
  const std::uint32_t sign = std::uint32_t{x.bits & 0x8000U} << 16;
  const std::uint32_t exponent = x.bits >> 10 & 31U;
  const std::uint32_t fraction = x.bits & 0x3FFU;
  if (exponent == 31) {
    const std::uint32_t quiet = fraction != 0 ? 0x400000U : 0U;
    return bits_float(sign | 0x7F800000U | quiet | fraction << 13);
  }
  if (exponent != 0) return bits_float(sign | (exponent + 112) << 23 | fraction << 13);
  const float magnitude = static_cast<float>(fraction) * 0x1p-24F;  // subnormal or zero: exact
  return bits_float(sign | float_bits(magnitude));
}

inline void from_arithmetic(float x, float& out) {
  out = x;
}
inline void from_arithmetic(double x, double& out) {
  out = x;
}
inline void from_arithmetic(float x, bfloat16& out) {
  const std::uint32_t bits = float_bits(x);
  const bool nan = (bits & 0x7FFFFFFFU) > 0x7F800000U;
  const std::uint32_t rounded = bits + 0x7FFFU + (bits >> 16 & 1U);
  out.bits = static_cast<std::uint16_t>(nan ? bits >> 16 | 0x40U : rounded >> 16);
}
inline void from_arithmetic(float x, float16& out) {
  const std::uint32_t bits = float_bits(x);
  const std::uint32_t sign = bits >> 16 & 0x8000U;
  const std::uint32_t magnitude = bits & 0x7FFFFFFFU;
  std::uint32_t half;
  if (magnitude > 0x7F800000U) {
    half = 0x7E00U | (magnitude >> 13 & 0x3FFU);
  } else if (magnitude >= 0x47800000U) {
    half = 0x7C00U;  // 65,536 and more
  } else if (magnitude >= 0x38800000U) {
    half = (magnitude - 0x38000000U + 0xFFFU + (magnitude >> 13 & 1U)) >> 13;
  } else {
    // Subnormal: a multiple of 2^-24. Shift the significand into place and round by hand.
    const std::uint32_t exponent = magnitude >> 23;
    const std::uint32_t shift = exponent < 102 ? 25 : 126 - exponent;
    const std::uint32_t significand = (magnitude & 0x7FFFFFU) | 0x800000U;
    const std::uint32_t whole = significand >> shift;
    const std::uint32_t rest = significand & ((1U << shift) - 1);
    const std::uint32_t middle = 1U << (shift - 1);
    half = whole + ((rest > middle || (rest == middle && (whole & 1U) != 0)) ? 1 : 0);
    if (exponent < 102) half = 0;  // below half of the least subnormal
  }
  out.bits = static_cast<std::uint16_t>(sign | half);
}

}  // namespace
}  // namespace simdrop::detail
