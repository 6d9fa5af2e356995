// The operations of vector.h for AVX2 with FMA and F16C.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/isa/basics.h"
#include "kernels/isa/types.h"
#include "kernels/isa/vector.h"
#include "kernels/isa/x86.h"
#include "simdrop/float16.hpp"

namespace simdrop::detail {
namespace {

// As tuned on Zen 5.
constexpr std::size_t philox_vectors = 5;
constexpr std::size_t mask_vectors = 4;

inline VecU64 mul_low32(VecU64 a, VecU64 b) {
  return _mm256_mul_epu32(a, b);
}
inline VecU64 shift_right32(VecU64 a) {
  return _mm256_srli_epi64(a, 32);
}
// The states fill the registers: GCC's own order of the rounds spills more and is a sixth slower,
// clang's is the faster one.
inline void keep_order(VecU64& a, VecU64& b, VecU64& c, VecU64& d) {
#if !defined(__clang__)
  __m256i raw[4] = {a, b, c, d};
  __asm__ volatile("" : "+x"(raw[0]), "+x"(raw[1]), "+x"(raw[2]), "+x"(raw[3]));
  a = raw[0], b = raw[1], c = raw[2], d = raw[3];
#else
  static_cast<void>(a), static_cast<void>(b), static_cast<void>(c), static_cast<void>(d);
#endif
}

constexpr std::uint64_t block_lanes[4] = {0, 2, 1, 3};
inline void store_blocks(VecU64 x0, VecU64 x1, VecU64 x2, VecU64 x3, std::uint32_t* out) {
  const __m256i low = _mm256_blend_epi32(x0, _mm256_slli_epi64(x1, 32), 0xAA);
  const __m256i high = _mm256_blend_epi32(x2, _mm256_slli_epi64(x3, 32), 0xAA);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), _mm256_unpacklo_epi64(low, high));
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + 8), _mm256_unpackhi_epi64(low, high));
}

// There is no unsigned compare: a <= b is max(a, b) == b.
inline std::uint32_t bits_le_u32(VecU32 a, VecU32 b) {
  const __m256i le = _mm256_cmpeq_epi32(_mm256_max_epu32(a, b), b);
  return static_cast<std::uint32_t>(_mm256_movemask_ps(_mm256_castsi256_ps(le)));
}

struct MaskBits {
  __m256i half[2];  // each of 32 bits, in all lanes of 32 bits
  explicit MaskBits(std::uint64_t bits)
      : half{_mm256_set1_epi32(static_cast<int>(bits)),
             _mm256_set1_epi32(static_cast<int>(bits >> 32))} {}
  explicit MaskBits(const std::uint8_t* p)
      : half{_mm256_set1_epi32(load_i32(p)), _mm256_set1_epi32(load_i32(p + 4))} {}
  template <int K>
  VecF select(VecF v) const {
    // Each lane's bit goes where blendv looks, the sign.
    const __m256i to_sign = _mm256_sub_epi32(_mm256_set1_epi32(31 - 8 * (K % 4)),
                                             _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
    const __m256i kept = _mm256_sllv_epi32(half[K / 4], to_sign);
    return _mm256_blendv_ps(_mm256_setzero_ps(), v, _mm256_castsi256_ps(kept));
  }
  template <int K>
  VecD select(VecD v) const {
    const __m256i lane_bits = _mm256_slli_epi64(_mm256_setr_epi64x(1, 2, 4, 8), 4 * (K % 8));
    const __m256i kept = _mm256_cmpeq_epi64(_mm256_and_si256(half[K / 8], lane_bits), lane_bits);
    return _mm256_and_pd(_mm256_castsi256_pd(kept), v);
  }
};
// The maximum of 0 and z is z where that is NaN or -0, and adding +0
// makes +0 of -0 and changes nothing else: a comparison less.
inline VecF relu_times(VecF z, VecF factor) {
  return _mm256_fmadd_ps(_mm256_max_ps(_mm256_setzero_ps(), z), factor, _mm256_setzero_ps());
}
inline VecD relu_times(VecD z, VecD factor) {
  return _mm256_fmadd_pd(_mm256_max_pd(_mm256_setzero_pd(), z), factor, _mm256_setzero_pd());
}
inline VecF select_gt_zero(VecF y, VecF v) {
  return _mm256_and_ps(_mm256_cmp_ps(y, _mm256_setzero_ps(), _CMP_GT_OQ), v);
}

inline VecD select_gt_zero(VecD y, VecD v) {
  return _mm256_and_pd(_mm256_cmp_pd(y, _mm256_setzero_pd(), _CMP_GT_OQ), v);
}

inline VecU64 pack_words(VecU64 low, VecU64 high) {
  return _mm256_blend_epi32(low, _mm256_slli_epi64(high, 32), 0xAA);
}

struct CorrectionLanes {
  __m256i one;
  CorrectionLanes(VecU64 draw, std::int64_t threshold)
      : one(_mm256_srli_epi64(_mm256_cmpgt_epi64(draw, _mm256_set1_epi64x(threshold)), 63)) {}
  [[nodiscard]] VecU64 at(VecU64 place) const { return _mm256_sllv_epi64(one, place); }
};
inline bool any_above(VecU64 draw, std::int64_t threshold) {
  const __m256i one = CorrectionLanes(draw, threshold).one;
  return _mm256_testz_si256(one, one) == 0;
}

inline void store_transposed(VecU64 w0, VecU64 w1, VecU64 w2, VecU64 w3, std::uint64_t* out) {
  const __m256i even01 = _mm256_unpacklo_epi64(w0, w1);
  const __m256i odd01 = _mm256_unpackhi_epi64(w0, w1);
  const __m256i even23 = _mm256_unpacklo_epi64(w2, w3);
  const __m256i odd23 = _mm256_unpackhi_epi64(w2, w3);
  auto* lanes = reinterpret_cast<__m256i*>(out);
  _mm256_storeu_si256(lanes, _mm256_permute2x128_si256(even01, even23, 0x20));
  _mm256_storeu_si256(lanes + 1, _mm256_permute2x128_si256(odd01, odd23, 0x20));
  _mm256_storeu_si256(lanes + 2, _mm256_permute2x128_si256(even01, even23, 0x31));
  _mm256_storeu_si256(lanes + 3, _mm256_permute2x128_si256(odd01, odd23, 0x31));
}

inline VecF as_f32(VecU32 v) {
  return _mm256_castsi256_ps(v);
}
inline VecU32 as_u32(VecF v) {
  return _mm256_castps_si256(v);
}

template <class T>
inline VecU16 load_u16(const T* p) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
}
template <class T>
inline void store_u16(T* p, VecU16 v) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), v);
}
inline VecU32 widen_u16(const bfloat16* p) {
  return _mm256_cvtepu16_epi32(load_u16(p));
}
inline VecU16 narrow_u16(VecU32 v) {
  return _mm_packus_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
}
inline VecF load(const float16* p) {
  return _mm256_cvtph_ps(load_u16(p));
}
inline VecU16 f16_bits(VecF v) {
  return _mm256_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT);
}

inline VecD load_double(const float* p) {
  return _mm256_cvtps_pd(_mm_loadu_ps(p));
}
inline void store_float(float* p, VecD v) {
  _mm_storeu_ps(p, _mm256_cvtpd_ps(v));
}
inline VecF load_first(const float* p, std::size_t n, VecF fill) {
  constexpr std::int32_t ones_then_zeros[16] = {-1, -1, -1, -1, -1, -1, -1, -1};
  const auto* mask = reinterpret_cast<const __m256i*>(ones_then_zeros + 8 - n);
  const __m256i inside = _mm256_loadu_si256(mask);
  return _mm256_blendv_ps(fill, _mm256_maskload_ps(p, inside), _mm256_castsi256_ps(inside));
}
inline float max_of_lanes(VecF v) {
  const __m128 four = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
  const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)));
}
inline VecD widen_low(VecF v) {
  return _mm256_cvtps_pd(_mm256_castps256_ps128(v));
}
inline VecD widen_high(VecF v) {
  return _mm256_cvtps_pd(_mm256_extractf128_ps(v, 1));
}
inline VecF narrow_f64(VecD low, VecD high) {
  return _mm256_set_m128(_mm256_cvtpd_ps(high), _mm256_cvtpd_ps(low));
}

inline void stream(float* p, VecF v) {
  _mm256_stream_ps(p, v);
}
inline void stream(double* p, VecD v) {
  _mm256_stream_pd(p, v);
}
// Sixteen bytes at a time, streaming gains nothing where y is aligned and loses where it is not.
template <class T>
inline void stream_u16(T* p, VecU16 v) {
  store_u16(p, v);
}
inline void stream_fence() {
  _mm_sfence();
}

inline __m256i first_lanes32(std::size_t n) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n)),
                            _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
inline __m256i first_lanes64(std::size_t n) {
  return _mm256_cmpgt_epi64(_mm256_set1_epi64x(static_cast<long long>(n)),
                            _mm256_setr_epi64x(0, 1, 2, 3));
}
inline VecF load_first(const float* p, std::size_t n) {
  return _mm256_maskload_ps(p, first_lanes32(n));
}
inline VecD load_first(const double* p, std::size_t n) {
  return _mm256_maskload_pd(p, first_lanes64(n));
}
// In pieces: masked stores are slow on AMD.
inline void store_first(double* p, VecD v, std::size_t n) {
  const __m256d raw = v;
  if (n == 4) {
    _mm256_storeu_pd(p, raw);
    return;
  }
  __m128d half = _mm256_castpd256_pd128(raw);
  if ((n & 2) != 0) {
    _mm_storeu_pd(p, half);
    half = _mm256_extractf128_pd(raw, 1);
  }
  if ((n & 1) != 0) _mm_store_sd(p + (n & 2), half);
}
inline void store_first(float* p, VecF v, std::size_t n) {
  const __m256 raw = v;
  if (n == 8) {
    _mm256_storeu_ps(p, raw);
    return;
  }
  __m128 part = _mm256_castps256_ps128(raw);
  if ((n & 4) != 0) {
    _mm_storeu_ps(p, part);
    part = _mm256_extractf128_ps(raw, 1);
  }
  p += n & 4;
  if ((n & 2) != 0) {
    _mm_storel_pi(reinterpret_cast<__m64*>(p), part);
    part = _mm_movehl_ps(part, part);
  }
  if ((n & 1) != 0) _mm_store_ss(p + (n & 2), part);
}
// xsimd 8.1 differs by type.
inline VecF zip_low(VecF a, VecF b) {
  return _mm256_permute2f128_ps(_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b), 0x20);
}
inline VecF zip_high(VecF a, VecF b) {
  return _mm256_permute2f128_ps(_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b), 0x31);
}
inline VecD zip_low(VecD a, VecD b) {
  return _mm256_permute2f128_pd(_mm256_unpacklo_pd(a, b), _mm256_unpackhi_pd(a, b), 0x20);
}
inline VecD zip_high(VecD a, VecD b) {
  return _mm256_permute2f128_pd(_mm256_unpacklo_pd(a, b), _mm256_unpackhi_pd(a, b), 0x31);
}
inline VecF select_bits(std::uint64_t bits, VecF v) {
  return MaskBits(bits).select<0>(v);
}
inline VecD select_bits(std::uint64_t bits, VecD v) {
  return MaskBits(bits).select<0>(v);
}

// For each eight bits, where compress() and expand() find what lane i gets.
struct LaneOrders {
  std::uint8_t compress[256][8];
  std::uint8_t expand[256][8];
};
constexpr LaneOrders make_lane_orders() {
  LaneOrders orders{};
  for (unsigned bits = 0; bits < 256; ++bits) {
    unsigned set = 0;
    for (unsigned lane = 0; lane < 8; ++lane) {
      orders.expand[bits][lane] = static_cast<std::uint8_t>(set);
      if ((bits >> lane & 1U) != 0) orders.compress[bits][set++] = static_cast<std::uint8_t>(lane);
    }
  }
  return orders;
}
alignas(64) constexpr LaneOrders lane_orders = make_lane_orders();

inline VecF permute(VecF v, const std::uint8_t* order) {
  const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(order));
  return _mm256_permutevar8x32_ps(v, _mm256_cvtepu8_epi32(bytes));
}
inline VecF blend_bits(std::uint64_t bits, VecF a, VecF b) {
  const __m256i each = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
  const __m256i here = _mm256_and_si256(_mm256_set1_epi32(static_cast<int>(bits)), each);
  return _mm256_blendv_ps(b, a, _mm256_castsi256_ps(_mm256_cmpeq_epi32(here, each)));
}
inline VecF compress(std::uint64_t bits, VecF v) {
  return permute(v, lane_orders.compress[bits & 255]);
}
inline VecF expand(std::uint64_t bits, VecF v) {
  return blend_bits(bits, permute(v, lane_orders.expand[bits & 255]), VecF(0.0F));
}

inline Quad sum_lanes(VecF a, VecF b, VecF c, VecF d) {
  const __m256 ab = _mm256_add_ps(_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b));
  const __m256 cd = _mm256_add_ps(_mm256_unpacklo_ps(c, d), _mm256_unpackhi_ps(c, d));
  const __m256 all =
      _mm256_add_ps(_mm256_shuffle_ps(ab, cd, 0x44), _mm256_shuffle_ps(ab, cd, 0xEE));
  return _mm_add_ps(_mm256_castps256_ps128(all), _mm256_extractf128_ps(all, 1));
}

inline VecF loaded_once(VecF v) {
  __m256 raw = v;
  __asm__("" : "+x"(raw));
  return raw;
}

}  // namespace
}  // namespace simdrop::detail
