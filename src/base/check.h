// One wording for every error that a caller makes: what is wrong, its value, and what is allowed.
// A check that is passed builds no text: a training step allocates nothing.
#pragma once

#include <sstream>
#include <stdexcept>
#include <string_view>

#include "base/compiler_modes.h"

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

}  // namespace simdrop::detail
