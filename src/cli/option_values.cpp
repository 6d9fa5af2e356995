#include "cli/option_values.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <stdexcept>

#include "threading/team.h"

namespace simdrop::cli {
namespace {

// As std::from_chars reads it, if nothing follows.
template <class T>
std::optional<T> whole_text(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Not the locale's.
char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

}  // namespace

std::optional<std::uint64_t> whole_number(std::string_view text) {
  return whole_text<std::uint64_t>(text);
}

std::optional<double> decimal_number(std::string_view text) {
  if (text.starts_with('-')) return std::nullopt;  // -0 is no other number than 0
  return whole_text<double>(text);
}

bool beyond_double(std::string_view text) {
  double value = 0.0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc::result_out_of_range && end == text.data() + text.size();
}

std::optional<bool> switch_value(std::string_view text) {
  std::string word(text);
  std::ranges::transform(word, word.begin(), lower);
  for (const char* yes : {"true", "on", "yes", "1"}) {
    if (word == yes) return true;
  }
  for (const char* no : {"false", "off", "no", "0"}) {
    if (word == no) return false;
  }
  return std::nullopt;
}

WholeRange whole_range(Range range, std::uint64_t largest) {
  if (range == Range::threads) return {0, detail::max_team};
  return {range == Range::at_least_one ? 1U : 0U, largest};
}

bool in_range(const WholeRange& range, std::uint64_t value) {
  return value >= range.low && value <= range.high;
}

bool in_range(Range range, double value) {
  const auto rounded = static_cast<float>(value);
  if (!std::isfinite(value) || value < 0.0) return false;
  switch (range) {
    case Range::probability:
      return value <= 1.0;
    case Range::not_negative_float:
      return value == 0.0 || (rounded > 0.0F && std::isfinite(rounded));
    case Range::momentum:
      return rounded < 1.0F;
    default:
      return true;
  }
}

std::string allowed_text(const WholeRange& range) {
  const bool all = range.high == std::numeric_limits<std::uint64_t>::max();
  return "a whole number in digits, " + std::to_string(range.low) + " to " +
         (all ? "2^64-1" : std::to_string(range.high));
}

std::string allowed_text(Range range) {
  const std::string number = "a number without sign, ";
  switch (range) {
    case Range::probability:
      return number + "0 to 1";
    case Range::not_negative_float:
      return number + "0, or what float rounds neither to 0 nor to infinity";
    case Range::momentum:
      return number + "0 or more and below 1, also when rounded to float";
    default:
      return number + "0 or more and finite";
  }
}

std::string allowed_text(const std::vector<std::string>& names) {
  std::string text = names.front();
  for (std::size_t i = 1; i < names.size(); ++i) {
    text += (i + 1 == names.size() ? " or " : ", ") + names[i];
  }
  return text;
}

std::string quoted(const std::string& value, const std::string& whole) {
  return "'" + value + (whole == value ? "'" : "' in '" + whole + "'");
}

void refuse(const std::string& option, const std::string& value, const std::string& allowed) {
  throw std::invalid_argument("--" + option + " is " + value + "; allowed: " + allowed);
}

std::vector<std::string> fields_of(std::string_view text) {
  std::vector<std::string> fields;
  while (true) {
    const std::size_t comma = text.find(',');
    fields.emplace_back(text.substr(0, comma));
    if (comma == std::string_view::npos) return fields;
    text.remove_prefix(comma + 1);
  }
}

}  // namespace simdrop::cli
