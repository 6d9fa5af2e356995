// JSON text, read as a stream of values: nothing is built that a hostile file could make large, and
// nesting takes no stack.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace simdrop::detail {

// The keys that lead to a value; elements of an array have json_element as their last one.
using JsonPath = std::vector<std::string>;
inline constexpr const char* json_element = "[]";

// Whole numbers below 0 are no use to any reader here: they come as double.
using JsonScalar = std::variant<std::nullptr_t, bool, std::uint64_t, double, std::string>;

struct JsonError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Throws JsonError at what it does not want.
class JsonConsumer {
 public:
  virtual ~JsonConsumer() = default;
  // An object or an array begins.
  virtual void open(const JsonPath& path, bool array) = 0;
  virtual void scalar(const JsonPath& path, JsonScalar value) = 0;
};

// Throws JsonError if the text is no JSON or an object has a key twice.
void read_json(std::string_view text, JsonConsumer& consumer);

// With quotes.
std::string json_string(std::string_view text);
// The shortest text that reads back as the same double.
std::string json_number(double value);

[[nodiscard]] bool is_utf8(std::string_view text) noexcept;

// For messages: text of a file, which may be anything, on one line and not long.
std::string in_quotes(std::string_view text);

}  // namespace simdrop::detail
