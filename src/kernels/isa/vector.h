// The operations that an instruction set provides: what xsimd lacks, or spells differently between
// 8.1 and 14. Each is defined in the file of the instruction set, or in xsimd.h for all that xsimd
// serves alike; kernels include isa.h, which has all. tests/kernels/isa has a test of each.
//
// Pointers are to elements in memory and need no alignment but where it is said; vectors are of
// what the elements are in arithmetic. Lanes and bits count from 0, the lowest.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/isa/types.h"
#include "simdrop/float16.hpp"

namespace simdrop::detail {
namespace {

// ---- Every instruction set, scalar too; the same again for double where VecD is named.

// One element, by an instruction of its own.
template <class T>
inline T load_one(const T* p);
inline VecF load(const float* p);
inline VecD load(const double* p);
inline void store(float* p, VecF v);
inline void store(double* p, VecD v);

// The first n lanes alone are read or written, 1 <= n <= lanes; what is not read is +0.
inline VecF load_first(const float* p, std::size_t n);
inline VecD load_first(const double* p, std::size_t n);
inline void store_first(float* p, VecF v, std::size_t n);
inline void store_first(double* p, VecD v, std::size_t n);

// a * b + c: rounded once, but for scalar, which rounds the product too.
inline VecF mul_add(VecF a, VecF b, VecF c);
inline VecD mul_add(VecD a, VecD b, VecD c);

// not z <= 0 ? z * factor : +0; a NaN stays one, and -0 becomes +0. 0 < factor < Inf: by an
// infinite one, vectors make NaN of the zeros.
inline VecF relu_times(VecF z, VecF factor);
inline VecD relu_times(VecD z, VecD factor);

// v where y > 0, else +0.
inline VecF select_gt_zero(VecF y, VecF v);
inline VecD select_gt_zero(VecD y, VecD v);

// v where the bit of the lane is set, else +0.
inline VecF select_bits(std::uint64_t bits, VecF v);
inline VecD select_bits(std::uint64_t bits, VecD v);

// a where the bit of the lane is set, else b.
inline VecF blend_bits(std::uint64_t bits, VecF a, VecF b);

// The lanes whose bits are set, in order from lane 0; those behind them are unspecified.
inline VecF compress(std::uint64_t bits, VecF v);

// The other way: lane 0, 1, ... to the lanes whose bits are set, +0 to the others.
inline VecF expand(std::uint64_t bits, VecF v);

// Correctly rounded, as IEEE 754 has them.
inline VecF divide(VecF a, VecF b);
inline VecF square_root(VecF a);

// Floats in memory, doubles in arithmetic: lanes_f64 of them, rounded to nearest even.
inline VecD load_double(const float* p);
inline void store_float(float* p, VecD v);

// Row i of a square of lanes x lanes becomes its column i.
template <class V>
inline void transpose(V* rows);

// Waits for the stores of stream(), below.
inline void stream_fence();

#if !defined(SIMDROP_ISA_SCALAR)
// ---- Instruction sets with vectors: masks and their generator.

// philox_vectors: vectors of Philox blocks that are drawn at once, to cover the latency of a round;
// mask_vectors: the same where masks are drawn. block_lanes[i]: which block lane i draws, for
// store_blocks().

// The low 32 bits of each lane: their 64-bit products; and the high 32 bits.
inline VecU64 mul_low32(VecU64 a, VecU64 b);
inline VecU64 shift_right32(VecU64 a);
inline VecU64 xor3(VecU64 a, VecU64 b, VecU64 c);
inline VecU64 or3(VecU64 a, VecU64 b, VecU64 c);

// Digit by digit of a probability, from the last: digit ? kept | drawn : kept & drawn.
inline VecU64 fold_digit(VecU64 kept, VecU64 drawn, bool digit);

// Holds the compiler to the order of the source where registers are few; changes no value.
inline void keep_order(VecU64& a, VecU64& b, VecU64& c, VecU64& d);

// The four words of each lane's block, in the low halves of the lanes, to memory in the order of
// blocks: 4 * lanes_u64 words.
inline void store_blocks(VecU64 x0, VecU64 x1, VecU64 x2, VecU64 x3, std::uint32_t* out);

// The low halves of the lanes of low and high as one 64-bit word a lane.
inline VecU64 pack_words(VecU64 low, VecU64 high);

// Lane i of w0 ... w3 becomes words 4 i ... 4 i + 3.
inline void store_transposed(VecU64 w0, VecU64 w1, VecU64 w2, VecU64 w3, std::uint64_t* out);

// Bit i of the result: a[i] <= b[i], unsigned.
inline std::uint32_t bits_le_u32(VecU32 a, VecU32 b);

// Whether a lane is above the threshold, both signed.
inline bool any_above(VecU64 draw, std::int64_t threshold);

// CorrectionLanes(draw, threshold).at(place), -192 <= place < 256: bit `place` of a word in the
// lanes whose draw is above the threshold (both signed), and no bit if place is not in 0 ... 63.
// MaskBits(bits), or (p) for 64 bits in memory, .select<K>(v): v where bit lanes * K + i is set in
// lane i, else +0.

// ---- Elements of other types.

inline VecF as_f32(VecU32 v);
inline VecU32 as_u32(VecF v);
inline VecU32 widen_u16(const bfloat16* p);
inline VecF load(const bfloat16* p);
inline VecF load(const float16* p);
inline void store(bfloat16* p, VecF v);
inline void store(float16* p, VecF v);
// Bits of the nearest float16 or bfloat16, ties to even. A NaN stays one, if for bfloat16 its last
// 16 bits are zeros: rounding could carry others into the sign. So for store() and stream().
inline VecU16 f16_bits(VecF v);
inline VecU32 bf16_bits(VecF v);
// The lanes in 16 bits, where they are below 2^16: others depend on the instruction set.
inline VecU16 narrow_u16(VecU32 v);
template <class T>
inline void store_u16(T* p, VecU16 v);
template <class T>
inline void stream_u16(T* p, VecU16 v);

// Stores around the caches, to where a vector is aligned; plain ones where they would lose.
inline void stream(float* p, VecF v);
inline void stream(double* p, VecD v);
inline void stream(bfloat16* p, VecF v);
inline void stream(float16* p, VecF v);

// Keeps a load out of the operation that uses it, where that is faster; changes no value.
template <class V>
inline V in_register(V v);
// The same for a vector that is used more than once, where each use may become a load.
inline VecF loaded_once(VecF v);

// The lower (upper) halves of two vectors, lane by lane in turn.
inline VecF zip_low(VecF a, VecF b);
inline VecF zip_high(VecF a, VecF b);
inline VecD zip_low(VecD a, VecD b);
inline VecD zip_high(VecD a, VecD b);

// ---- Losses, and products of few rows.

// As load_first, but lanes beyond n are those of `fill`.
inline VecF load_first(const float* p, std::size_t n, VecF fill);
// The largest; unspecified where one is NaN.
inline float max_of_lanes(VecF v);
// The lower (upper) half as doubles; and two halves as floats, rounded to nearest even.
inline VecD widen_low(VecF v);
inline VecD widen_high(VecF v);
inline VecF narrow_f64(VecD low, VecD high);

// Lane i: the sum of the lanes of the i-th vector. Each four of them first, (0 + 2) + (1 + 3), on
// NEON (0 + 1) + (2 + 3); then the sums of the fours in halves, (0 + 2) + (1 + 3).
inline Quad sum_lanes(VecF a, VecF b, VecF c, VecF d);
// Quads, four floats: 0 <= n <= 4 of them are read or written, those not read are +0; and not
// v <= 0 ? v : +0.
inline Quad load_quad(const float* p, std::size_t n);
inline void store_quad(float* p, Quad v, std::size_t n);
inline Quad add(Quad a, Quad b);
inline Quad relu(Quad v);
#endif

}  // namespace
}  // namespace simdrop::detail
