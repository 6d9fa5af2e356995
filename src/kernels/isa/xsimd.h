// The operations of vector.h that all instruction sets with vectors share, most of them xsimd's.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/isa/types.h"
#include "kernels/isa/vector.h"
#include "simdrop/float16.hpp"

namespace simdrop::detail {
namespace {

template <class T>
inline T load_one(const T* p) {
  return *p;
}
inline VecF load(const float* p) {
  return VecF::load_unaligned(p);
}
inline VecD load(const double* p) {
  return VecD::load_unaligned(p);
}
inline void store(float* p, VecF v) {
  v.store_unaligned(p);
}
inline void store(double* p, VecD v) {
  v.store_unaligned(p);
}

// On NEON, xsimd's are estimates with Newton steps.
#if defined(SIMDROP_ISA_NEON)
inline VecF divide(VecF a, VecF b) {
  return vdivq_f32(a, b);
}
inline VecF square_root(VecF a) {
  return vsqrtq_f32(a);
}
#else
inline VecF divide(VecF a, VecF b) {
  return a / b;
}
inline VecF square_root(VecF a) {
  return xsimd::sqrt(a);
}
#endif

#if !defined(SIMDROP_ISA_AVX512)  // which has single operations for these
inline VecF mul_add(VecF a, VecF b, VecF c) {
  return xsimd::fma(a, b, c);
}
inline VecD mul_add(VecD a, VecD b, VecD c) {
  return xsimd::fma(a, b, c);
}
inline VecU64 xor3(VecU64 a, VecU64 b, VecU64 c) {
  return a ^ (b ^ c);  // a is the last to be known
}
inline VecU64 or3(VecU64 a, VecU64 b, VecU64 c) {
  return a | b | c;
}
inline VecU64 fold_digit(VecU64 kept, VecU64 drawn, bool digit) {
  return digit ? kept | drawn : kept & drawn;
}
template <class V>
inline V in_register(V v) {
  return v;
}
#endif

inline VecF load(const bfloat16* p) {
  return as_f32(widen_u16(p) << 16);
}
// A NaN that comes from bfloat16 operands has 16 zeros at its end, and so does the default NaN:
// rounding cannot carry it into something else.
inline VecU32 bf16_bits(VecF v) {
  const VecU32 bits = as_u32(v);
  return (bits + VecU32(0x7FFFU) + ((bits >> 16) & VecU32(1U))) >> 16;
}
inline void store(bfloat16* p, VecF v) {
  store_u16(p, narrow_u16(bf16_bits(v)));
}
inline void stream(bfloat16* p, VecF v) {
  stream_u16(p, narrow_u16(bf16_bits(v)));
}
inline void store(float16* p, VecF v) {
  store_u16(p, f16_bits(v));
}
inline void stream(float16* p, VecF v) {
  stream_u16(p, f16_bits(v));
}

// A perfect shuffle of all elements, as often as the number of lanes has digits (Stone, IEEE
// Transactions on Computers C-20, 1971).
template <class V>
inline void transpose(V* rows) {
  constexpr std::size_t n = V::size;
#pragma GCC unroll 4
  for (std::size_t stage = 1; stage < n; stage *= 2) {
    V next[n];
#pragma GCC unroll 8
    for (std::size_t i = 0; i < n / 2; ++i) {
      next[2 * i] = zip_low(rows[i], rows[i + n / 2]);
      next[2 * i + 1] = zip_high(rows[i], rows[i + n / 2]);
    }
#pragma GCC unroll 16
    for (std::size_t i = 0; i < n; ++i) rows[i] = next[i];
  }
}

}  // namespace
}  // namespace simdrop::detail
