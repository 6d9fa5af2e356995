#include <charconv>
#include <cmath>

#include "io/json_reader.h"

namespace simdrop::detail {
namespace {

constexpr std::size_t longest_quote = 160;

void append_escape(std::string& out, unsigned char c) {
  constexpr const char* digits = "0123456789abcdef";
  out += "\\u00";
  out += digits[c >> 4];
  out += digits[c & 15U];
}

// Bytes of the well-formed UTF-8 character that text, which is not empty, begins with, or 0.
std::size_t utf8_length(std::string_view text) noexcept {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = at(0);
  if (lead < 0x80) return 1;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  const std::size_t length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if (text.size() < length) return 0;
  const unsigned char low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
  const unsigned char high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
  if (at(1) < low || at(1) > high) return 0;
  for (std::size_t i = 2; i < length; ++i) {
    if (at(i) < 0x80 || at(i) > 0xbf) return 0;
  }
  return length;
}

}  // namespace

bool is_utf8(std::string_view text) noexcept {
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string json_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20) {
      append_escape(out, byte);
      continue;
    }
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

std::string json_number(double value) {
  if (value == 0.0) return std::signbit(value) ? "-0.0" : "0.0";  // -0 would be a whole number
  char text[32];
  const auto result = std::to_chars(text, text + sizeof(text), value);
  return {text, result.ptr};
}

std::string in_quotes(std::string_view text) {
  std::string out = "\"";
  const std::string_view shown = text.substr(0, longest_quote);
  for (const char c : shown) {
    const auto byte = static_cast<unsigned char>(c);
    out += byte < 0x20 || byte >= 0x7f ? '?' : c;
  }
  return out + (shown.size() < text.size() ? "..." : "") + '"';
}

std::string in_quotes(const JsonPath& path) {
  std::string text;
  for (const std::string& key : path) {
    if (key == json_element) continue;
    if (!text.empty()) text += '.';
    text.append(key, 0, longest_quote + 1);
  }
  return in_quotes(text);
}

void throw_stands_twice(const JsonPath& path) {
  throw JsonError("the key " + in_quotes(path.back()) + " stands twice");
}

}  // namespace simdrop::detail
