// Argument checks of the public API: one wording for every error.
#pragma once

#include <sstream>
#include <stdexcept>
#include <string_view>

#include "simdrop/rng.hpp"
#include "simdrop/threads.hpp"

namespace simdrop::detail {

// Throws std::invalid_argument: "simdrop: NAME is VALUE; allowed: ALLOWED".
template <class T>
[[noreturn]] void throw_invalid(std::string_view name, const T& value, std::string_view allowed) {
  std::ostringstream message;
  message.precision(17);
  message << "simdrop: " << name << " is " << value << "; allowed: " << allowed;
  throw std::invalid_argument(message.str());
}

template <class T>
void check_argument(bool ok, std::string_view name, const T& value, std::string_view allowed) {
  if (!ok) throw_invalid(name, value, allowed);
}

// NaN fails every comparison, so it is rejected here too.
inline void check_keep_prob(double keep_prob, std::string_view name = "keep_prob") {
  check_argument(keep_prob >= 0.0 && keep_prob <= 1.0, name, keep_prob, "0 <= keep_prob <= 1");
}

inline void check_rounds(PhiloxRounds rounds) {
  check_argument(rounds == PhiloxRounds::seven || rounds == PhiloxRounds::ten, "rounds",
                 static_cast<std::int32_t>(rounds), "7 or 10");
}

inline void check_threads(const Threads& threads) {
  check_argument(threads.count >= 0, "threads.count", threads.count, ">= 0");
}

}  // namespace simdrop::detail
