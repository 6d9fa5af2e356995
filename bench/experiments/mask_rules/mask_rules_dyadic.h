// MaskRule::dyadic by the library's own kernel, written where it belongs: the table's
// bernoulli_mask() takes any first element and any length, and so copies every bit once.
#pragma once

#include <cstddef>
#include <cstdint>

#include "experiments/mask_rules/mask_rules_digits.h"
#include "experiments/mask_rules/mask_rules_isa.h"
#include "kernels/mask/draw_vector.h"
#include "kernels/mask/overlap.h"

namespace simdrop::bench {
namespace {

using namespace simdrop::detail;

inline std::uint64_t draw_dyadic_in_place(const RuleSource& source, std::size_t elements,
                                          std::uint64_t* bits) {
  const PhiloxVec philox(source.seed, source.stream);
  const std::uint64_t block = source.first / mask_block;
  OverlappedWork none;
  for (std::size_t b = 0; b < elements / mask_block; b += batch_blocks) {
    draw_vectors<rule_rounds, mask_vectors>(source.library, philox, block + b, bits + b * 4, none);
  }
  return elements / mask_block * dyadic_pieces(source.library.dyadic);
}

}  // namespace
}  // namespace simdrop::bench
