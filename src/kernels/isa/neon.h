// The operations of vector.h for NEON on AArch64.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/isa/basics.h"
#include "kernels/isa/types.h"
#include "kernels/isa/vector.h"
#include "simdrop/float16.hpp"

namespace simdrop::detail {
namespace {

// 16 registers of 32. Not measured: no AArch64 machine has run this yet.
constexpr std::size_t philox_vectors = 4;
constexpr std::size_t mask_vectors = 4;

inline VecU64 mul_low32(VecU64 a, VecU64 b) {
  return vmull_u32(vmovn_u64(a), vmovn_u64(b));
}
inline VecU64 shift_right32(VecU64 a) {
  return vshrq_n_u64(a, 32);
}
inline void keep_order(VecU64&, VecU64&, VecU64&, VecU64&) {}

constexpr std::uint64_t block_lanes[2] = {0, 1};
inline void store_blocks(VecU64 x0, VecU64 x1, VecU64 x2, VecU64 x3, std::uint32_t* out) {
  const uint64x2_t low = vsliq_n_u64(x0, x1, 32);
  const uint64x2_t high = vsliq_n_u64(x2, x3, 32);
  vst1q_u32(out, vreinterpretq_u32_u64(vzip1q_u64(low, high)));
  vst1q_u32(out + 4, vreinterpretq_u32_u64(vzip2q_u64(low, high)));
}

inline std::uint32_t bits_le_u32(VecU32 a, VecU32 b) {
  const std::uint32_t lane_bits[4] = {1, 2, 4, 8};
  return vaddvq_u32(vandq_u32(vcleq_u32(a, b), vld1q_u32(lane_bits)));
}

inline VecF select_u32(uint32x4_t mask, float32x4_t v) {
  return vreinterpretq_f32_u32(vandq_u32(mask, vreinterpretq_u32_f32(v)));
}
inline VecD select_u64(uint64x2_t mask, float64x2_t v) {
  return vreinterpretq_f64_u64(vandq_u64(mask, vreinterpretq_u64_f64(v)));
}
struct MaskBits {
  uint32x4_t half[2];
  explicit MaskBits(std::uint64_t bits)
      : half{vdupq_n_u32(static_cast<std::uint32_t>(bits)),
             vdupq_n_u32(static_cast<std::uint32_t>(bits >> 32))} {}
  explicit MaskBits(const std::uint8_t* p)
      : half{vdupq_n_u32(static_cast<std::uint32_t>(load_i32(p))),
             vdupq_n_u32(static_cast<std::uint32_t>(load_i32(p + 4)))} {}
  template <int K>
  VecF select(VecF v) const {
    const std::uint32_t first[4] = {1, 2, 4, 8};
    const uint32x4_t lane_bits = vshlq_n_u32(vld1q_u32(first), 4 * (K % 8));
    return select_u32(vtstq_u32(half[K / 8], lane_bits), v);
  }
  template <int K>
  VecD select(VecD v) const {
    const std::uint64_t first[2] = {1, 2};
    const uint64x2_t lane_bits = vshlq_n_u64(vld1q_u64(first), 2 * (K % 16));
    const uint64x2_t bits = vreinterpretq_u64_u32(half[K / 16]);
    return select_u64(vtstq_u64(bits, lane_bits), v);
  }
};
// NEON's maximum keeps a NaN, and takes 0 for the larger of 0 and -0.
inline VecF relu_times(VecF z, VecF factor) {
  return vmulq_f32(vmaxq_f32(z, vdupq_n_f32(0)), factor);
}
inline VecD relu_times(VecD z, VecD factor) {
  return vmulq_f64(vmaxq_f64(z, vdupq_n_f64(0)), factor);
}
inline VecF select_gt_zero(VecF y, VecF v) {
  return select_u32(vcgtzq_f32(y), v);
}

inline VecD select_gt_zero(VecD y, VecD v) {
  return select_u64(vcgtzq_f64(y), v);
}

inline VecU64 pack_words(VecU64 low, VecU64 high) {
  return vsliq_n_u64(low, high, 32);
}

// A negative place shifts to the right, and so leaves nothing.
struct CorrectionLanes {
  uint64x2_t one;
  CorrectionLanes(VecU64 draw, std::int64_t threshold)
      : one(vshrq_n_u64(vcgtq_s64(vreinterpretq_s64_u64(draw), vdupq_n_s64(threshold)), 63)) {}
  [[nodiscard]] VecU64 at(VecU64 place) const {
    return vshlq_u64(one, vreinterpretq_s64_u64(place));
  }
};
inline bool any_above(VecU64 draw, std::int64_t threshold) {
  const uint64x2_t one = CorrectionLanes(draw, threshold).one;
  return (vgetq_lane_u64(one, 0) | vgetq_lane_u64(one, 1)) != 0;
}

inline void store_transposed(VecU64 w0, VecU64 w1, VecU64 w2, VecU64 w3, std::uint64_t* out) {
  vst1q_u64(out, vzip1q_u64(w0, w1));
  vst1q_u64(out + 2, vzip1q_u64(w2, w3));
  vst1q_u64(out + 4, vzip2q_u64(w0, w1));
  vst1q_u64(out + 6, vzip2q_u64(w2, w3));
}

inline VecF as_f32(VecU32 v) {
  return vreinterpretq_f32_u32(v);
}
inline VecU32 as_u32(VecF v) {
  return vreinterpretq_u32_f32(v);
}

template <class T>
inline VecU16 load_u16(const T* p) {
  return vld1_u16(reinterpret_cast<const std::uint16_t*>(p));
}
template <class T>
inline void store_u16(T* p, VecU16 v) {
  vst1_u16(reinterpret_cast<std::uint16_t*>(p), v);
}
inline VecU32 widen_u16(const bfloat16* p) {
  return vmovl_u16(load_u16(p));
}
inline VecU16 narrow_u16(VecU32 v) {
  return vmovn_u32(v);
}
inline VecF load(const float16* p) {
  return vcvt_f32_f16(vreinterpret_f16_u16(load_u16(p)));
}
inline VecU16 f16_bits(VecF v) {
  return vreinterpret_u16_f16(vcvt_f16_f32(v));
}

inline VecD load_double(const float* p) {
  return vcvt_f64_f32(vld1_f32(p));
}
inline void store_float(float* p, VecD v) {
  vst1_f32(p, vcvt_f32_f64(v));
}
inline VecF load_first(const float* p, std::size_t n, VecF fill) {
  float lanes[4];
  vst1q_f32(lanes, fill);
  for (std::size_t i = 0; i < n; ++i) lanes[i] = p[i];
  return vld1q_f32(lanes);
}
inline float max_of_lanes(VecF v) {
  return vmaxvq_f32(v);
}
inline VecD widen_low(VecF v) {
  const float32x4_t raw = v;
  return vcvt_f64_f32(vget_low_f32(raw));
}
inline VecD widen_high(VecF v) {
  return vcvt_high_f64_f32(v);
}
inline VecF narrow_f64(VecD low, VecD high) {
  return vcvt_high_f32_f64(vcvt_f32_f64(low), high);
}

// AArch64's non-temporal stores take pairs, and are a hint that the compiler has no intrinsic for.
inline void stream(float* p, VecF v) {
  store(p, v);
}
inline void stream(double* p, VecD v) {
  store(p, v);
}
template <class T>
inline void stream_u16(T* p, VecU16 v) {
  store_u16(p, v);
}
inline void stream_fence() {}

template <class T>
inline VecOf<T> load_some(const T* p, std::size_t n) {
  if (n == lanes_of<T>) return load(p);
  T first[lanes_of<T>] = {};
  for (std::size_t i = 0; i < n; ++i) first[i] = p[i];
  return load(first);
}
template <class T>
inline void store_some(T* p, VecOf<T> v, std::size_t n) {
  if (n == lanes_of<T>) {
    store(p, v);
    return;
  }
  T first[lanes_of<T>];
  store(first, v);
  for (std::size_t i = 0; i < n; ++i) p[i] = first[i];
}
inline VecF load_first(const float* p, std::size_t n) {
  return load_some(p, n);
}
inline VecD load_first(const double* p, std::size_t n) {
  return load_some(p, n);
}
inline void store_first(float* p, VecF v, std::size_t n) {
  store_some(p, v, n);
}
inline void store_first(double* p, VecD v, std::size_t n) {
  store_some(p, v, n);
}
inline VecF zip_low(VecF a, VecF b) {
  return vzip1q_f32(a, b);
}
inline VecF zip_high(VecF a, VecF b) {
  return vzip2q_f32(a, b);
}
inline VecD zip_low(VecD a, VecD b) {
  return vzip1q_f64(a, b);
}
inline VecD zip_high(VecD a, VecD b) {
  return vzip2q_f64(a, b);
}
inline VecF select_bits(std::uint64_t bits, VecF v) {
  return MaskBits(bits).select<0>(v);
}
inline VecD select_bits(std::uint64_t bits, VecD v) {
  return MaskBits(bits).select<0>(v);
}
inline VecF blend_bits(std::uint64_t bits, VecF a, VecF b) {
  const std::uint32_t each[4] = {1, 2, 4, 8};
  const uint32x4_t set = vtstq_u32(vdupq_n_u32(static_cast<std::uint32_t>(bits)), vld1q_u32(each));
  return vbslq_f32(set, a, b);
}

// For each four bits, the bytes that compress() and expand() give to lane i; there is no byte 255,
// and so a zero.
struct LaneOrders {
  std::uint8_t compress[16][16];
  std::uint8_t expand[16][16];
};
constexpr LaneOrders make_lane_orders() {
  LaneOrders orders{};
  for (unsigned bits = 0; bits < 16; ++bits) {
    unsigned set = 0;
    for (unsigned lane = 0; lane < 4; ++lane) {
      const bool is_set = (bits >> lane & 1U) != 0;
      for (unsigned b = 0; b < 4; ++b) {
        orders.expand[bits][4 * lane + b] = static_cast<std::uint8_t>(is_set ? 4 * set + b : 255);
        if (is_set) orders.compress[bits][4 * set + b] = static_cast<std::uint8_t>(4 * lane + b);
      }
      set += is_set ? 1 : 0;
    }
  }
  return orders;
}
constexpr LaneOrders lane_orders = make_lane_orders();

inline VecF permute(VecF v, const std::uint8_t* order) {
  return vreinterpretq_f32_u8(vqtbl1q_u8(vreinterpretq_u8_f32(v), vld1q_u8(order)));
}
inline VecF compress(std::uint64_t bits, VecF v) {
  return permute(v, lane_orders.compress[bits & 15]);
}
inline VecF expand(std::uint64_t bits, VecF v) {
  return permute(v, lane_orders.expand[bits & 15]);
}

inline Quad load_quad(const float* p, std::size_t n) {
  if (n == 4) return vld1q_f32(p);
  float32x4_t v = vdupq_n_f32(0);
  if (n > 0) v = vld1q_lane_f32(p, v, 0);
  if (n > 1) v = vld1q_lane_f32(p + 1, v, 1);
  if (n > 2) v = vld1q_lane_f32(p + 2, v, 2);
  return v;
}
inline void store_quad(float* p, Quad v, std::size_t n) {
  if (n == 4) return vst1q_f32(p, v);
  if (n > 0) vst1q_lane_f32(p, v, 0);
  if (n > 1) vst1q_lane_f32(p + 1, v, 1);
  if (n > 2) vst1q_lane_f32(p + 2, v, 2);
}
inline Quad add(Quad a, Quad b) {
  return vaddq_f32(a, b);
}
inline Quad relu(Quad v) {
  return vmaxq_f32(v, vdupq_n_f32(0));
}
inline Quad sum_lanes(VecF a, VecF b, VecF c, VecF d) {
  return vpaddq_f32(vpaddq_f32(a, b), vpaddq_f32(c, d));
}

inline VecF loaded_once(VecF v) {  // operands are registers
  return v;
}

}  // namespace
}  // namespace simdrop::detail
