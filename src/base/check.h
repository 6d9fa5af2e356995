// One wording for every error that a caller makes: what is wrong, its value, and what is allowed.
// A check that is passed builds no text: a training step allocates nothing.
#pragma once

#include <charconv>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>

#include "base/compiler_modes.h"

namespace simdrop::detail {

// A value as messages show it. No stream: one takes std::bad_alloc for itself and cuts the text,
// and writes numbers as the global locale has them.
template <class T>
std::string value_text(const T& value) {
  char text[32];
  std::to_chars_result end{};
  if constexpr (std::is_convertible_v<const T&, std::string_view>) {
    return std::string(std::string_view(value));
  } else if constexpr (std::is_floating_point_v<T>) {
    constexpr int digits = 17;  // any double reads back as it was
    end = std::to_chars(text, text + sizeof(text), value, std::chars_format::general, digits);
  } else if constexpr (std::is_same_v<T, bool>) {
    return value ? "1" : "0";
  } else if constexpr (std::is_pointer_v<T>) {
    return value == nullptr ? "null" : "not null";
  } else {
    end = std::to_chars(text, text + sizeof(text), value);
  }
  return {text, end.ptr};
}

// Throws std::invalid_argument: "simdrop: NAME is VALUE; allowed: ALLOWED".
template <class T>
[[noreturn]] void throw_invalid(std::string_view name, const T& value, std::string_view allowed) {
  std::string message = "simdrop: ";
  message.append(name).append(" is ").append(value_text(value));
  message.append("; allowed: ").append(allowed);
  throw std::invalid_argument(message);
}

template <class T>
void check_argument(bool ok, std::string_view name, const T& value, std::string_view allowed) {
  if (!ok) throw_invalid(name, value, allowed);
}

}  // namespace simdrop::detail
