// Candidate rules for making mask bits, drawn with the vectors of one instruction set: what
// MaskRule::dyadic was chosen against. Measured by `mask_rules`.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "kernels/kernel_table.h"

namespace simdrop::bench {

inline constexpr std::size_t rule_unit = 65536;  // calls begin and end at multiples of this

// What a candidate takes.
struct RuleSource {
  std::uint64_t seed;
  std::uint64_t stream;
  std::uint64_t first;         // stream index of element 0 of the call, a multiple of rule_unit
  std::uint64_t threshold;     // round(keep_prob * 2^32), neither 0 nor 2^32
  detail::MaskSource library;  // for `dyadic_in_place`; its `first` does not count
  // For `geometric`: the base mask, and 1 / log2(1 - probability of a correction), 0 if there are
  // none.
  detail::DyadicPlan base;
  float gap_scale;
};

// Philox blocks to a block of 256 elements under MaskRule::dyadic.
constexpr std::uint64_t dyadic_pieces(const detail::DyadicPlan& plan) noexcept {
  const auto slots = static_cast<std::uint64_t>(plan.corrections.slots);
  return 2 * plan.digits + (slots == 0 ? 0 : (slots + 8 + 15) / 16);
}

// Writes that many bits (a multiple of rule_unit); returns how many Philox blocks (128 bits) it
// computed.
using DrawRule = std::uint64_t (*)(const RuleSource& source, std::size_t elements,
                                   std::uint64_t* bits);

struct NamedRule {
  const char* name;
  DrawRule draw;
};

struct RuleTable {
  Isa isa;
  const char* name;
  std::array<NamedRule, 6> rules;  // the same ones, in the same order, in every table
};

// Each is defined where it is compiled; only those that are compiled may be referred to.
namespace avx2 {
const RuleTable& rule_table() noexcept;
}
namespace avx512 {
const RuleTable& rule_table() noexcept;
}
namespace neon {
const RuleTable& rule_table() noexcept;
}

}  // namespace simdrop::bench
