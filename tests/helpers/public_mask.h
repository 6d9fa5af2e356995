// From the oracle's description of a mask to the public one.
#pragma once

#include <cstdint>
#include <vector>

#include "reference/mask_reference.h"
#include "simdrop/mask.hpp"

namespace test {

inline simdrop::Dropout to_dropout(const reference::MaskSpec& spec) {
  return {.keep_prob = spec.keep_prob,
          .stream = {.seed = spec.seed, .id = spec.stream},
          .first = spec.first,
          .rule = spec.rule == reference::Rule::dyadic ? simdrop::MaskRule::dyadic
                                                       : simdrop::MaskRule::words,
          .rounds = spec.rounds == 7 ? simdrop::PhiloxRounds::seven : simdrop::PhiloxRounds::ten};
}

inline std::vector<std::uint8_t> api_mask(const simdrop::Dropout& dropout, std::size_t n,
                                          int num_threads = 1) {
  std::vector<std::uint8_t> bits(simdrop::mask_bytes(n), 0xAA);
  simdrop::bernoulli_mask(dropout, n, bits, num_threads);
  return bits;
}

}  // namespace test
