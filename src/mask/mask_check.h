// The ranges of what describes a mask.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "simdrop/mask.hpp"
#include "simdrop/rng.hpp"

namespace simdrop::detail {

// NaN fails every comparison, so it is rejected here too.
constexpr bool is_keep_prob(double value) {
  return value >= 0.0 && value <= 1.0;
}
inline constexpr const char* keep_prob_range = "0 <= keep_prob <= 1";

inline void check_keep_prob(double keep_prob, std::string_view name = "keep_prob") {
  check_argument(is_keep_prob(keep_prob), name, keep_prob, keep_prob_range);
}

inline void check_rounds(PhiloxRounds rounds) {
  check_argument(rounds == PhiloxRounds::seven || rounds == PhiloxRounds::ten, "rounds",
                 static_cast<std::int32_t>(rounds), "7 or 10");
}

inline void check_dropout(const Dropout& dropout) {
  check_keep_prob(dropout.keep_prob);
  check_argument(dropout.rule == MaskRule::dyadic || dropout.rule == MaskRule::words, "rule",
                 static_cast<std::int32_t>(dropout.rule), "0 (dyadic) or 1 (words)");
  check_rounds(dropout.rounds);
}

}  // namespace simdrop::detail
