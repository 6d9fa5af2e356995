// The operations of vector.h for AVX-512 F, CD, DQ and BW.
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
constexpr std::size_t philox_vectors = 6;
constexpr std::size_t mask_vectors = 4;

inline VecU64 mul_low32(VecU64 a, VecU64 b) {
  return _mm512_mul_epu32(a, b);
}
inline VecU64 shift_right32(VecU64 a) {
  return _mm512_srli_epi64(a, 32);
}
// xsimd 8.1 rounds twice on AVX-512.
inline VecF mul_add(VecF a, VecF b, VecF c) {
  return _mm512_fmadd_ps(a, b, c);
}
inline VecD mul_add(VecD a, VecD b, VecD c) {
  return _mm512_fmadd_pd(a, b, c);
}
inline VecU64 xor3(VecU64 a, VecU64 b, VecU64 c) {
  return _mm512_ternarylogic_epi64(a, b, c, 0x96);
}

inline VecU64 or3(VecU64 a, VecU64 b, VecU64 c) {
  return _mm512_ternarylogic_epi64(a, b, c, 0xFE);
}
// The majority of three.
inline VecU64 fold_digit(VecU64 kept, VecU64 drawn, bool digit) {
  const __m512i all = _mm512_set1_epi64(digit ? -1 : 0);
  return _mm512_ternarylogic_epi64(kept, drawn, all, 0xE8);
}
inline void keep_order(VecU64&, VecU64&, VecU64&, VecU64&) {}

constexpr std::uint64_t block_lanes[8] = {0, 4, 1, 5, 2, 6, 3, 7};
inline void store_blocks(VecU64 x0, VecU64 x1, VecU64 x2, VecU64 x3, std::uint32_t* out) {
  const __m512i low = _mm512_mask_shuffle_epi32(x0, 0xAAAA, x1, _MM_PERM_CCAA);
  const __m512i high = _mm512_mask_shuffle_epi32(x2, 0xAAAA, x3, _MM_PERM_CCAA);
  _mm512_storeu_si512(out, _mm512_unpacklo_epi64(low, high));
  _mm512_storeu_si512(out + 16, _mm512_unpackhi_epi64(low, high));
}

inline std::uint32_t bits_le_u32(VecU32 a, VecU32 b) {
  return _mm512_cmple_epu32_mask(a, b);
}

// As a masked load, memory streams a third slower (Zen 5).
inline VecF in_register(VecF v) {
  __m512 raw = v;
  __asm__("" : "+v"(raw));
  return raw;
}
inline VecD in_register(VecD v) {
  __m512d raw = v;
  __asm__("" : "+v"(raw));
  return raw;
}

// Testing a vector costs less than moving bits from general registers to mask registers.
struct MaskBits {
  __m512i half[2];  // each of 32 bits, in all lanes of 32 bits
  explicit MaskBits(std::uint64_t bits)
      : half{_mm512_set1_epi32(static_cast<int>(bits)),
             _mm512_set1_epi32(static_cast<int>(bits >> 32))} {}
  explicit MaskBits(const std::uint8_t* p)
      : half{_mm512_set1_epi32(load_i32(p)), _mm512_set1_epi32(load_i32(p + 4))} {}
  template <int K>
  [[nodiscard]] __mmask16 kept_f32() const {
    const __m512i first = _mm512_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128, 1 << 8, 1 << 9, 1 << 10,
                                            1 << 11, 1 << 12, 1 << 13, 1 << 14, 1 << 15);
    return _mm512_test_epi32_mask(half[K / 2], _mm512_slli_epi32(first, 16 * (K % 2)));
  }
  template <int K>
  [[nodiscard]] __mmask8 kept_f64() const {
    const __m512i first = _mm512_setr_epi64(1, 2, 4, 8, 16, 32, 64, 128);
    return _mm512_test_epi64_mask(half[K / 4], _mm512_slli_epi64(first, 8 * (K % 4)));
  }
  template <int K>
  [[nodiscard]] VecF select(VecF v) const {
    return _mm512_maskz_mov_ps(kept_f32<K>(), v);
  }
  template <int K>
  [[nodiscard]] VecD select(VecD v) const {
    return _mm512_maskz_mov_pd(kept_f64<K>(), v);
  }
};
// The maximum of 0 and z is z where that is NaN or -0, and adding +0
// makes +0 of -0 and changes nothing else: a comparison less.
inline VecF relu_times(VecF z, VecF factor) {
  return _mm512_fmadd_ps(_mm512_max_ps(_mm512_setzero_ps(), z), factor, _mm512_setzero_ps());
}
inline VecD relu_times(VecD z, VecD factor) {
  return _mm512_fmadd_pd(_mm512_max_pd(_mm512_setzero_pd(), z), factor, _mm512_setzero_pd());
}
inline VecF select_gt_zero(VecF y, VecF v) {
  return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(y, _mm512_setzero_ps(), _CMP_GT_OQ), v);
}

inline VecD select_gt_zero(VecD y, VecD v) {
  return _mm512_maskz_mov_pd(_mm512_cmp_pd_mask(y, _mm512_setzero_pd(), _CMP_GT_OQ), v);
}

inline VecU64 pack_words(VecU64 low, VecU64 high) {
  return _mm512_mask_shuffle_epi32(low, 0xAAAA, high, _MM_PERM_CCAA);
}

struct CorrectionLanes {
  __mmask8 above;
  CorrectionLanes(VecU64 draw, std::int64_t threshold)
      : above(_mm512_cmpgt_epi64_mask(draw, _mm512_set1_epi64(threshold))) {}
  [[nodiscard]] VecU64 at(VecU64 place) const {
    return _mm512_maskz_sllv_epi64(above, _mm512_set1_epi64(1), place);
  }
};
inline bool any_above(VecU64 draw, std::int64_t threshold) {
  return CorrectionLanes(draw, threshold).above != 0;
}

inline void store_transposed(VecU64 w0, VecU64 w1, VecU64 w2, VecU64 w3, std::uint64_t* out) {
  const __m512i even01 = _mm512_unpacklo_epi64(w0, w1);
  const __m512i odd01 = _mm512_unpackhi_epi64(w0, w1);
  const __m512i even23 = _mm512_unpacklo_epi64(w2, w3);
  const __m512i odd23 = _mm512_unpackhi_epi64(w2, w3);
  const __m512i first = _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11);
  const __m512i second = _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15);
  const __m512i lanes02 = _mm512_permutex2var_epi64(even01, first, even23);
  const __m512i lanes13 = _mm512_permutex2var_epi64(odd01, first, odd23);
  const __m512i lanes46 = _mm512_permutex2var_epi64(even01, second, even23);
  const __m512i lanes57 = _mm512_permutex2var_epi64(odd01, second, odd23);
  _mm512_storeu_si512(out, _mm512_shuffle_i64x2(lanes02, lanes13, 0x44));
  _mm512_storeu_si512(out + 8, _mm512_shuffle_i64x2(lanes02, lanes13, 0xEE));
  _mm512_storeu_si512(out + 16, _mm512_shuffle_i64x2(lanes46, lanes57, 0x44));
  _mm512_storeu_si512(out + 24, _mm512_shuffle_i64x2(lanes46, lanes57, 0xEE));
}

inline VecF as_f32(VecU32 v) {
  return _mm512_castsi512_ps(v);
}
inline VecU32 as_u32(VecF v) {
  return _mm512_castps_si512(v);
}

template <class T>
inline VecU16 load_u16(const T* p) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
}
template <class T>
inline void store_u16(T* p, VecU16 v) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), v);
}
inline VecU32 widen_u16(const bfloat16* p) {
  return _mm512_cvtepu16_epi32(load_u16(p));
}
inline VecU16 narrow_u16(VecU32 v) {
  return _mm512_cvtepi32_epi16(v);
}
inline VecF load(const float16* p) {
  return _mm512_cvtph_ps(load_u16(p));
}
inline VecU16 f16_bits(VecF v) {
  return _mm512_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}

inline __mmask16 first_lanes(std::size_t n) {
  return static_cast<__mmask16>((1U << n) - 1U);
}
inline VecF load_first(const float* p, std::size_t n, VecF fill) {
  return _mm512_mask_loadu_ps(fill, first_lanes(n), p);
}
inline float max_of_lanes(VecF v) {
  return _mm512_reduce_max_ps(v);
}
inline VecD widen_low(VecF v) {
  return _mm512_cvtps_pd(_mm512_castps512_ps256(v));
}
inline VecD widen_high(VecF v) {
  return _mm512_cvtps_pd(_mm512_extractf32x8_ps(v, 1));
}
inline VecF narrow_f64(VecD low, VecD high) {
  const __m512 half = _mm512_castps256_ps512(_mm512_cvtpd_ps(low));
  return _mm512_insertf32x8(half, _mm512_cvtpd_ps(high), 1);
}

inline VecD load_double(const float* p) {
  return _mm512_cvtps_pd(_mm256_loadu_ps(p));
}
inline void store_float(float* p, VecD v) {
  _mm256_storeu_ps(p, _mm512_cvtpd_ps(v));
}

inline void stream(float* p, VecF v) {
  _mm512_stream_ps(p, v);
}
inline void stream(double* p, VecD v) {
  _mm512_stream_pd(p, v);
}
template <class T>
inline void stream_u16(T* p, VecU16 v) {
  _mm256_stream_si256(reinterpret_cast<__m256i*>(p), v);
}
inline void stream_fence() {
  _mm_sfence();
}

inline VecF load_first(const float* p, std::size_t n) {
  return _mm512_maskz_loadu_ps(static_cast<__mmask16>((1U << n) - 1U), p);
}
inline VecD load_first(const double* p, std::size_t n) {
  return _mm512_maskz_loadu_pd(static_cast<__mmask8>((1U << n) - 1U), p);
}
inline void store_first(float* p, VecF v, std::size_t n) {
  _mm512_mask_storeu_ps(p, static_cast<__mmask16>((1U << n) - 1U), v);
}
inline void store_first(double* p, VecD v, std::size_t n) {
  _mm512_mask_storeu_pd(p, static_cast<__mmask8>((1U << n) - 1U), v);
}
// xsimd 8.1 stays within 128 bits.
inline VecF zip_low(VecF a, VecF b) {
  const __m512i from = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  return _mm512_permutex2var_ps(a, from, b);
}
inline VecF zip_high(VecF a, VecF b) {
  const __m512i from =
      _mm512_setr_epi32(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
  return _mm512_permutex2var_ps(a, from, b);
}
inline VecD zip_low(VecD a, VecD b) {
  return _mm512_permutex2var_pd(a, _mm512_setr_epi64(0, 8, 1, 9, 2, 10, 3, 11), b);
}
inline VecD zip_high(VecD a, VecD b) {
  return _mm512_permutex2var_pd(a, _mm512_setr_epi64(4, 12, 5, 13, 6, 14, 7, 15), b);
}
inline VecF select_bits(std::uint64_t bits, VecF v) {
  return _mm512_maskz_mov_ps(static_cast<__mmask16>(bits), v);
}
inline VecD select_bits(std::uint64_t bits, VecD v) {
  return _mm512_maskz_mov_pd(static_cast<__mmask8>(bits), v);
}
inline VecF blend_bits(std::uint64_t bits, VecF a, VecF b) {
  return _mm512_mask_mov_ps(b, static_cast<__mmask16>(bits), a);
}
inline VecF compress(std::uint64_t bits, VecF v) {
  return _mm512_maskz_compress_ps(static_cast<__mmask16>(bits), v);
}
inline VecF expand(std::uint64_t bits, VecF v) {
  return _mm512_maskz_expand_ps(static_cast<__mmask16>(bits), v);
}

inline Quad sum_lanes(VecF a, VecF b, VecF c, VecF d) {
  const __m512 ab = _mm512_add_ps(_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b));
  const __m512 cd = _mm512_add_ps(_mm512_unpacklo_ps(c, d), _mm512_unpackhi_ps(c, d));
  const __m512 all =
      _mm512_add_ps(_mm512_shuffle_ps(ab, cd, 0x44), _mm512_shuffle_ps(ab, cd, 0xEE));
  const __m256 half = _mm256_add_ps(_mm512_castps512_ps256(all), _mm512_extractf32x8_ps(all, 1));
  return _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
}

inline VecF loaded_once(VecF v) {
  return in_register(v);
}

}  // namespace
}  // namespace simdrop::detail
