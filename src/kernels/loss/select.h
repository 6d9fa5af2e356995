// Choices and powers of two, for float and for vectors of it.
#pragma once

#include <cstdint>
#include <cstring>

#include "kernels/isa/isa.h"

namespace simdrop::detail {
namespace {

inline float where(bool condition, float a, float b) {
  return condition ? a : b;
}

// 2^n of t = 1.5 * 2^23 + n + 127, whose last bits are the exponent.
inline float power_of_two(float t) {
  std::uint32_t bits = 0;
  std::memcpy(&bits, &t, sizeof bits);
  bits <<= 23;
  std::memcpy(&t, &bits, sizeof bits);
  return t;
}

#if !defined(SIMDROP_ISA_SCALAR)
template <class Condition>
inline VecF where(Condition condition, VecF a, VecF b) {
  return xsimd::select(condition, a, b);
}
inline VecF power_of_two(VecF t) {
  return as_f32(as_u32(t) << 23);
}
#endif

}  // namespace
}  // namespace simdrop::detail
