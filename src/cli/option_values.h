// What the values of options mean. Numbers are decimal, whole texts, and in range; an error names
// the option, the value as it was given, and what is allowed.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "mlp/config_fields.h"

namespace simdrop::cli {

enum class Range {
  any,                 // whole numbers: all that are not negative
  at_least_one,        // whole numbers
  threads,             // whole numbers
  probability,         // of numbers, as all that follow
  not_negative,        // and finite
  not_negative_float,  // which does not become 0 or infinite in float, where the library computes
  momentum,
};

// Digits alone, 0 to 2^64-1.
[[nodiscard]] std::optional<std::uint64_t> whole_number(std::string_view text);
// As 1, .5 or 1e-3, without sign, in the range of double; or inf or nan.
[[nodiscard]] std::optional<double> decimal_number(std::string_view text);
// Whether it is a number that is too large for a double, or so small that it would become 0.
[[nodiscard]] bool beyond_double(std::string_view text);
// true, on, yes, 1 or false, off, no, 0, in letters of either case.
[[nodiscard]] std::optional<bool> switch_value(std::string_view text);

// Of whole numbers; `largest` is that of their type.
struct WholeRange {
  std::uint64_t low, high;
};
[[nodiscard]] WholeRange whole_range(Range range, std::uint64_t largest);
[[nodiscard]] bool in_range(const WholeRange& range, std::uint64_t value);
[[nodiscard]] bool in_range(Range range, double value);

[[nodiscard]] std::string allowed_text(const WholeRange& range);
[[nodiscard]] std::string allowed_text(Range range);  // of numbers
// "a, b or c".
[[nodiscard]] std::string allowed_text(const std::vector<std::string>& names);

// "'VALUE'", or "'VALUE' in 'WHOLE'".
[[nodiscard]] std::string quoted(const std::string& value, const std::string& whole);
// "--NAME is VALUE; allowed: ALLOWED".
[[noreturn]] void refuse(const std::string& option, const std::string& value,
                         const std::string& allowed);

// The values that an option of type T takes, in words: for its help and its errors.
template <class T>
std::string allowed_values(Range range) {
  if constexpr (detail::NamedEnum<T>) {
    using detail::names_of;
    constexpr auto names = names_of(T{});
    return allowed_text(std::vector<std::string>(names.begin(), names.end()));
  } else if constexpr (std::is_same_v<T, std::string>) {
    return "a name that is not empty";
  } else if constexpr (std::is_floating_point_v<T>) {
    return allowed_text(range);
  } else {
    return allowed_text(whole_range(range, std::numeric_limits<T>::max()));
  }
}

template <class T>
std::optional<T> value_of(std::string_view text, Range range) {
  if constexpr (detail::NamedEnum<T>) {
    return detail::value_named<T>(text);
  } else if constexpr (std::is_same_v<T, std::string>) {
    return text.empty() ? std::nullopt : std::optional<T>(text);
  } else if constexpr (std::is_floating_point_v<T>) {
    const std::optional<double> value = decimal_number(text);
    return value && in_range(range, *value) ? value : std::nullopt;
  } else {
    const std::optional<std::uint64_t> value = whole_number(text);
    if (!value || !in_range(whole_range(range, std::numeric_limits<T>::max()), *value)) {
      return std::nullopt;
    }
    return static_cast<T>(*value);
  }
}

// Whether an option may have this value, which was not read from text.
template <class T>
bool is_allowed(const T& value, Range range) {
  if constexpr (std::is_floating_point_v<T>) {
    return in_range(range, value);
  } else if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
    return value >= 0 && in_range(whole_range(range, std::numeric_limits<T>::max()),
                                  static_cast<std::uint64_t>(value));
  } else {
    return true;
  }
}
template <class T>
bool is_allowed(const std::optional<T>& value, Range range) {
  return !value || is_allowed(*value, range);
}
template <class T>
bool is_allowed(const std::vector<T>& values, Range range) {
  return std::ranges::all_of(values, [=](const T& value) { return is_allowed(value, range); });
}

// The parts between commas, also those with nothing in them.
[[nodiscard]] std::vector<std::string> fields_of(std::string_view text);

// whole: what the option was given, if `text` is a field of it.
template <class T>
void read_value(const std::string& option, const std::string& text, Range range, T& value,
                const std::string& whole = "") {
  const std::optional<T> read = value_of<T>(text, range);
  if (!read) {
    std::string shown = quoted(text, whole.empty() ? text : whole);
    if (std::is_floating_point_v<T> && beyond_double(text)) shown += ", beyond what a double holds";
    refuse(option, shown, allowed_values<T>(range));
  }
  value = *read;
}

template <class T>
void read_value(const std::string& option, const std::string& text, Range range,
                std::optional<T>& value) {
  read_value(option, text, range, value.emplace());
}

// A list.
template <class T>
void read_value(const std::string& option, const std::string& text, Range range,
                std::vector<T>& values) {
  values.clear();
  for (const std::string& field : fields_of(text)) {
    read_value(option, field, range, values.emplace_back(), text);
  }
}

}  // namespace simdrop::cli
