#include "io/json_reader.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace simdrop::detail {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

void append_utf8(std::string& out, std::uint32_t code) {
  const auto byte = [&](std::uint32_t value) { out += static_cast<char>(value); };
  const auto tail = [&](unsigned shift) { byte(0x80 | (code >> shift & 0x3f)); };
  if (code < 0x80) {
    byte(code);
  } else if (code < 0x800) {
    byte(0xc0 | code >> 6);
    tail(0);
  } else if (code < 0x10000) {
    byte(0xe0 | code >> 12);
    tail(6);
    tail(0);
  } else {
    byte(0xf0 | code >> 18);
    tail(12);
    tail(6);
    tail(0);
  }
}

class Reader {
 public:
  Reader(std::string_view text, JsonConsumer& consumer) : text_(text), consumer_(consumer) {}

  void read() {
    value();
    while (!path_.empty()) member();
    skip_space();
    if (at_ != text_.size()) fail("expected the end");
  }

 private:
  [[noreturn]] void fail(const char* what) const {
    throw JsonError("parse error at byte " + std::to_string(at_) + ": " + what);
  }

  // The byte here, 0 behind the end (a byte that is 0 is allowed nowhere).
  [[nodiscard]] char here() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  bool take(char c) {
    if (here() != c) return false;
    ++at_;
    return true;
  }

  void skip_space() { at_ = std::min(text_.find_first_not_of(" \t\n\r", at_), text_.size()); }

  void skip_digits() {
    if (!is_digit(here())) fail("expected a digit");
    while (is_digit(here())) ++at_;
  }

  void value() {
    skip_space();
    if (take('{')) return open(false);
    if (take('[')) return open(true);
    consumer_.scalar(path_, scalar());
  }

  void open(bool array) {
    consumer_.open(path_, array);
    path_.emplace_back(json_element);
    arrays_.push_back(array);
    first_ = true;
  }

  // The next member of the innermost array or object, or its end.
  void member() {
    const bool array = arrays_.back();
    skip_space();
    if (take(array ? ']' : '}')) return close();
    if (!first_) {
      if (!take(',')) fail("expected a comma, or the end of an array or object");
      skip_space();
    }
    first_ = false;
    if (!array) {
      path_.back() = string();
      skip_space();
      if (!take(':')) fail("expected a colon");
    }
    value();
  }

  void close() {
    path_.pop_back();
    arrays_.pop_back();
    consumer_.close(path_);
    first_ = false;
  }

  JsonScalar scalar() {
    const char c = here();
    if (c == '"') return string();
    if (c == '-' || is_digit(c)) return number();
    if (take_word("true")) return true;
    if (take_word("false")) return false;
    if (take_word("null")) return nullptr;
    fail("expected a value");
  }

  bool take_word(std::string_view word) {
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }

  JsonScalar number() {
    const std::size_t begin = at_;
    bool whole = !take('-');
    if (!take('0')) skip_digits();
    if (take('.')) {
      whole = false;
      skip_digits();
    }
    if (take('e') || take('E')) {
      whole = false;
      if (!take('+')) (void)take('-');
      skip_digits();
    }
    const char* const first = text_.data() + begin;
    const char* const last = text_.data() + at_;
    std::uint64_t unsigned_value = 0;
    if (whole && std::from_chars(first, last, unsigned_value).ec == std::errc{}) {
      return unsigned_value;
    }
    double value = 0.0;
    if (std::from_chars(first, last, value).ec != std::errc{}) fail("the number is out of range");
    return value;
  }

  // Bytes until the quote that ends the string, as it stands in the text.
  [[nodiscard]] std::size_t string_length() const {
    std::size_t end = at_;
    while (end < text_.size() && text_[end] != '"') end += text_[end] == '\\' ? 2 : 1;
    return std::min(end, text_.size()) - at_;
  }

  std::string string() {
    if (!take('"')) fail("expected a string");
    std::string out;
    out.reserve(string_length());
    while (!take('"')) {
      if (at_ == text_.size()) fail("the string does not end");
      if (take('\\')) {
        append_escaped(out);
        continue;
      }
      const std::size_t length = utf8_length(text_.substr(at_));
      if (length == 0) fail("the string is not UTF-8");
      if (static_cast<unsigned char>(here()) < 0x20) fail("a control character in a string");
      out.append(text_, at_, length);
      at_ += length;
    }
    return out;
  }

  // What follows a backslash.
  void append_escaped(std::string& out) {
    constexpr std::string_view escaped = "\"\\/bfnrt", meant = "\"\\/\b\f\n\r\t";
    if (take('u')) return append_utf8(out, code_point());
    const std::size_t which = escaped.find(here());
    if (which == std::string_view::npos) fail("unknown escape");
    out += meant[which];
    ++at_;
  }

  std::uint32_t code_point() {
    const std::uint32_t high = four_digits();
    if (high < 0xd800 || high > 0xdfff) return high;
    if (high > 0xdbff || !take('\\') || !take('u')) fail("half of a surrogate pair");
    const std::uint32_t low = four_digits();
    if (low < 0xdc00 || low > 0xdfff) fail("half of a surrogate pair");
    return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
  }

  std::uint32_t four_digits() {
    const std::string_view digits = text_.substr(at_, 4);
    std::uint32_t value = 0;
    const auto end = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    if (end.ptr != digits.data() + 4) fail("expected four hexadecimal digits");
    at_ += 4;
    return value;
  }

  std::string_view text_;
  JsonConsumer& consumer_;
  std::size_t at_ = 0;
  JsonPath path_;
  std::vector<bool> arrays_;  // of what is open: whether it is an array, or an object
  bool first_ = true;         // nothing stands before the next member
};

}  // namespace

void read_json(std::string_view text, JsonConsumer& consumer) {
  Reader(text, consumer).read();
}

}  // namespace simdrop::detail
