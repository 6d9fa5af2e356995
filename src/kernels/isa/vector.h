// The few operations that xsimd lacks, or spells differently between 8.1 and 14, for each
// instruction set. Included inside an anonymous namespace: nothing here may get external linkage.
//
// VecF is a vector of floats; VecD, VecU32 and VecU64 are as wide. load(), store() and stream()
// take a pointer to elements in memory and a vector of what they are in arithmetic.

#if defined(SIMDROP_ISA_AVX512)
using Arch = xsimd::avx512bw;
#elif defined(SIMDROP_ISA_AVX2)
using Arch = xsimd::fma3<xsimd::avx2>;
#elif defined(SIMDROP_ISA_NEON)
using Arch = xsimd::neon64;
#else
#error "define SIMDROP_ISA_AVX512, SIMDROP_ISA_AVX2 or SIMDROP_ISA_NEON"
#endif

using VecF = xsimd::batch<float, Arch>;
using VecU32 = xsimd::batch<std::uint32_t, Arch>;
using VecU64 = xsimd::batch<std::uint64_t, Arch>;
using VecD = xsimd::batch<double, Arch>;

constexpr std::size_t lanes_f32 = VecF::size;
constexpr std::size_t lanes_u64 = VecU64::size;
constexpr std::size_t lanes_f64 = VecD::size;

// What an element in memory is in arithmetic, and how many of them a vector takes.
template <class T>
struct Lanes {
  using Vec = VecF;
  static constexpr std::size_t count = lanes_f32;
};
template <>
struct Lanes<double> {
  using Vec = VecD;
  static constexpr std::size_t count = lanes_f64;
};

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

// Correctly rounded, as IEEE 754 has them (on NEON, xsimd's are estimates with Newton steps).
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

#if defined(SIMDROP_ISA_AVX512)
#include "kernels/isa/avx512.h"
#elif defined(SIMDROP_ISA_AVX2)
#include "kernels/isa/avx2.h"
#else
#include "kernels/isa/neon.h"
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

// The register tile of the products: rows, vectors of columns, and vectors of outputs that are
// finished together. Measured, but for NEON.
#if defined(SIMDROP_ISA_AVX512)
constexpr std::size_t tile_mr = 14;
constexpr std::size_t tile_nv = 2;
constexpr std::size_t tile_strip_vectors = 3;
#elif defined(SIMDROP_ISA_AVX2)
constexpr std::size_t tile_mr = 6;
constexpr std::size_t tile_nv = 2;
constexpr std::size_t tile_strip_vectors = 3;
#else
constexpr std::size_t tile_mr = 8;
constexpr std::size_t tile_nv = 3;
constexpr std::size_t tile_strip_vectors = 8;
#endif

// columns[i] of a square of lanes x lanes becomes its row i: a perfect shuffle of all elements, as
// often as the number of lanes has digits (Stone, IEEE Transactions on Computers C-20, 1971).
template <class V>
inline void transpose(V* columns) {
  constexpr std::size_t n = V::size;
#pragma GCC unroll 4
  for (std::size_t stage = 1; stage < n; stage *= 2) {
    V next[n];
#pragma GCC unroll 8
    for (std::size_t i = 0; i < n / 2; ++i) {
      next[2 * i] = zip_low(columns[i], columns[i + n / 2]);
      next[2 * i + 1] = zip_high(columns[i], columns[i + n / 2]);
    }
#pragma GCC unroll 16
    for (std::size_t i = 0; i < n; ++i) columns[i] = next[i];
  }
}
