// What a kernel is told of a mask; simdrop/mask.hpp says what its bits are.
#pragma once

#include <cstdint>

namespace simdrop::detail {

// The Poisson distribution of the corrections of a block (the hits of mask.hpp, step 3): a block
// has those k with u > c_k. Vector kernels look at `slots` of them at once, a multiple of 8 that
// few blocks exceed; beyond c_slots the sequence goes on from `term` and `sum`, which are p_slots
// and s_slots.
struct PoissonLaw {
  static constexpr int max_slots = 48;
  int slots;  // 0: no corrections
  double mean, term, sum;
  std::int64_t cdf[max_slots + 1];  // c_k - 2^63, so that a signed comparison orders them
};

// c_k - 2^63 for s_k = sum. Internal linkage: this is compiled with the flags of several
// instruction sets.
static inline std::int64_t biased_cdf(double sum) noexcept {
  if (sum >= 1.0) return INT64_MAX;
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(sum * 0x1p64) ^ (1ULL << 63));
}

// MaskRule::dyadic with T worked out.
struct DyadicPlan {
  std::uint32_t digits, numerator;  // the base mask keeps with probability numerator / 2^digits
  bool corrections_keep;            // whether a corrected element is kept, or dropped
  PoissonLaw corrections;
};

// Which elements a call keeps. Bits come from `bits_in` where that is not null (bit 0 is element 0
// of the call), else they are drawn from the stream.
struct MaskSource {
  std::uint64_t seed;
  std::uint64_t stream;
  std::uint64_t first;      // stream index of element 0 of the call
  std::uint64_t threshold;  // round(keep_prob * 2^32), 0 ... 2^32
  std::int32_t rounds;      // 7 or 10
  std::int32_t rule;        // MaskRule
  const std::uint8_t* bits_in;
  DyadicPlan dyadic;  // for that rule, 0 < threshold < 2^32 and no bits_in
};

}  // namespace simdrop::detail
