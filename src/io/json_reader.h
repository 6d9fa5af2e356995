// JSON text (RFC 8259), read as a stream of values: nothing is kept beside the text, the keys that
// lead to a value, and the value itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace simdrop::detail {

// The keys that lead to a value; elements of an array have json_element, which no key can be, since
// keys are UTF-8.
using JsonPath = std::vector<std::string>;
inline constexpr const char* json_element = "\xff";

// Whole numbers below 0 are no use to any reader here: they come as double.
using JsonScalar = std::variant<std::nullptr_t, bool, std::uint64_t, double, std::string>;

struct JsonError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Throws JsonError at what it does not want: an unknown key, a key that stands twice, a value of
// another kind. The reader stops there.
class JsonConsumer {
 public:
  virtual ~JsonConsumer() = default;
  // An object or an array begins or ends.
  virtual void open(const JsonPath& path, bool array) = 0;
  virtual void close(const JsonPath& path) = 0;
  virtual void scalar(const JsonPath& path, JsonScalar value) = 0;
};

// Arrays and objects in each other; no file here has more than 3.
inline constexpr std::size_t max_json_depth = 64;

// Throws JsonError if the text is no JSON, nests deeper than that, or has a number that no double
// holds: too large, too small, or with a whole part of more than 308 digits. Strings are decoded in
// the text: it is worth moving it here.
void read_json(std::string text, JsonConsumer& consumer);

// With quotes.
std::string json_string(std::string_view text);
// The shortest text that reads back as the same double.
std::string json_number(double value);

[[nodiscard]] bool is_utf8(std::string_view text) noexcept;

// For messages: text of a file, which may be anything, on one line and not long.
std::string in_quotes(std::string_view text);
// The same of a path's keys, with dots between them.
std::string in_quotes(const JsonPath& path);
// The key at the end of the path stands twice.
[[noreturn]] void throw_stands_twice(const JsonPath& path);

}  // namespace simdrop::detail
