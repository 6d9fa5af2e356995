// exp and log(1 + x) of the losses, once for V = float and for vectors of it. Only additions and
// multiplications, each rounded on its own: the bits are the same on every table, whether or not it
// has a fused multiply-add.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/isa/isa.h"
#include "kernels/loss/select.h"

namespace simdrop::detail {
namespace {

// exp(high + low) of high <= 0 (or NaN, which stays one), |low| at most half an ulp of high. At
// most 0.92 ulp off (measured over all floats).
//
// Cody and Waite: x = n ln 2 + r, |r| <= 0.3467, where ln 2 is split so that n * ln2_high has no
// rounding error; exp(r) = 1 + r + r^2 q(r), q minimax (Remez; relative error 2^-28). Adding
// exp_shift rounds to an integer and leaves n + 227 in the last bits: 2^(n + 100), which is never
// subnormal, so that the last product alone rounds. exp of less than -104 rounds to 0, and is
// selected: a product that underflows is slow.
template <class V>
[[gnu::always_inline]] inline V exp_not_above_zero(V high, V low) {
  constexpr float exp_shift = 0x1.8p23F + 227.0F;
  constexpr float ln2_high = 0x1.62e4p-1F;  // 15 bits; n has 8
  constexpr float ln2_low = 0x1.7f7d1cp-20F;
  const auto vanishes = high < V(-104.0F);
  const V x = where(vanishes, V(0.0F), high);
  const V t = x * V(0x1.715476p0F) + V(exp_shift);
  const V n = t - V(exp_shift);
  const V r_high = x - n * V(ln2_high);
  const V r_low = low - n * V(ln2_low);
  const V r = r_high + r_low;
  const V r2 = r * r;
  const V q = (V(0x1.fffffcp-2F) + V(0x1.555492p-3F) * r) +
              r2 * ((V(0x1.5558f2p-5F) + V(0x1.123a0ap-7F) * r) + r2 * V(0x1.6a23f2p-10F));
  const V p = V(1.0F) + (r_high + (r_low + r2 * q));
  return where(vanishes, V(0.0F), (p * power_of_two(t)) * V(0x1p-100F));
}

// log(1 + x) of 0 <= x <= 1. At most 1.6 ulp off (measured over all floats).
//
// x + x^2 R(x - 1/2), R minimax (Remez on [-1/2, 1/2]; relative error of the whole 2^-26 with
// rounded coefficients), in even and odd powers to shorten the chain.
template <class V>
[[gnu::always_inline]] inline V log1p_of_unit(V x) {
  const V s = x - V(0.5F);
  const V s2 = s * s;
  const V even =
      V(-0x1.833704p-2F) +
      s2 * (V(-0x1.7de0b0p-4F) +
            s2 * (V(-0x1.d9945cp-6F) + s2 * (V(-0x1.4d80c2p-7F) + s2 * V(-0x1.b2f592p-9F))));
  const V odd = V(0x1.6f0d76p-3F) +
                s2 * (V(0x1.a28586p-5F) + s2 * (V(0x1.10e876p-6F) + s2 * V(0x1.c635c4p-8F)));
  return x + (x * x) * (even + s * odd);
}

template <class V>
struct Sigmoid {
  V a;
  V exponential;  // exp(-|z|)
};

// One exponential of -|z|, which cannot overflow. At most 2.5 ulp off (measured over all floats).
template <class V>
[[gnu::always_inline]] inline Sigmoid<V> sigmoid(V z) {
  const V down = where(z < V(0.0F), z, V(0.0F) - z);
  const V e = exp_not_above_zero(down, V(0.0F));
  return {divide(where(z < V(0.0F), e, V(1.0F)), V(1.0F) + e), e};
}

// -(y log a + (1 - y) log(1 - a)) of a = sigmoid(z), as |z| (y or 1 - y) + log(1 + exp(-|z|)): no
// term is negative, so nothing cancels. (Infinite z with a target that agrees: inf * 0 is NaN.)
template <class V>
[[gnu::always_inline]] inline V cross_entropy(V z, V exponential, V y) {
  const V missed = where(z < V(0.0F), (V(0.0F) - z) * y, z * (V(1.0F) - y));
  return missed + log1p_of_unit(exponential);
}

// exp(z - maximum); the rounding error of the difference (Knuth's TwoSum) is made good.
template <class V>
[[gnu::always_inline]] inline V softmax_term(V z, V maximum) {
  const V d = z - maximum;
  const V z_rounded = d + maximum;
  const V error = (z - z_rounded) - (maximum + (d - z_rounded));
  return exp_not_above_zero(d, error);
}

// log of s >= 1 (or NaN): s = 2^k (1 + x). As exact for s near 1 as log1p_of_unit is near 0.
inline double log_of_sum(double s) {
  constexpr double ln2 = 0x1.62e42fefa39efp-1;
  std::uint64_t bits = 0;
  std::memcpy(&bits, &s, sizeof bits);
  const std::uint64_t k = (bits >> 52) - 1023;
  const std::uint64_t scale_bits = (1023 - k) << 52;
  double scale = 0.0;
  std::memcpy(&scale, &scale_bits, sizeof scale);
  const auto x = static_cast<float>(s * scale - 1.0);
  return static_cast<double>(static_cast<std::int32_t>(k)) * ln2 +
         static_cast<double>(log1p_of_unit(x));
}

// Sums over the columns of a row are kept in this many lanes, lane c % 16 for column c, and folded
// in halves: one order for all widths of a vector.
constexpr std::size_t loss_lanes = 16;

// The sum of the first `count` lanes; the others are 0.
inline double fold_lanes(double* lanes, std::size_t count) {
  for (std::size_t half = loss_lanes / 2; half > 0; half /= 2) {
    for (std::size_t i = 0; i + half < count; ++i) lanes[i] += lanes[i + half];
    count = smaller(count, half);
  }
  return lanes[0];
}

// Losses of this many outputs, in whole rows, are added up at a time.
constexpr std::size_t outputs_at_once = 256;

}  // namespace
}  // namespace simdrop::detail
