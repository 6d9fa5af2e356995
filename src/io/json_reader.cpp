#include "io/json_reader.h"

#include <charconv>
#include <cstddef>
#include <system_error>
#include <utility>

// In a namespace of simdrop's own: what links the static library may have another RapidJSON.
#define RAPIDJSON_NAMESPACE simdrop_rapidjson
#define RAPIDJSON_ASSERT(x) ((x) ? static_cast<void>(0) : throw simdrop::detail::JsonError(#x))
#include <rapidjson/error/en.h>
#include <rapidjson/reader.h>

namespace simdrop::detail {
namespace {

namespace json = simdrop_rapidjson;

// Strings are decoded, and numbers are found, where they lie in the text: in this way RapidJSON
// allocates nothing. Its other ways would not do: version 1.1 reads behind the end of a text that
// ends within a character if it is to check UTF-8, copies the digits of numbers, and writes to
// address 0 if its own stack (of kParseIterativeFlag) finds no memory.
constexpr unsigned parse_flags = json::kParseInsituFlag | json::kParseNumbersAsStringsFlag;

[[noreturn]] void fail(std::size_t at, const char* what) {
  throw JsonError("parse error at byte " + std::to_string(at) + ": " + what);
}

// What RapidJSON calls, by these names, at each value.
class Events : public json::BaseReaderHandler<json::UTF8<>, Events> {
 public:
  Events(const char* text, JsonConsumer& consumer) : text_(text), consumer_(consumer) {}

  // NOLINTBEGIN(readability-identifier-naming)
  bool Null() { return put(nullptr); }
  bool Bool(bool value) { return put(value); }
  bool RawNumber(const char* begin, json::SizeType length, bool /*copy*/) {
    const char* const end = begin + length;
    std::uint64_t whole = 0;
    const auto read = std::from_chars(begin, end, whole);
    if (read.ptr == end && read.ec == std::errc{}) return put(whole);
    double value = 0.0;
    if (std::from_chars(begin, end, value).ec != std::errc{}) {
      fail(offset(begin), "Number out of range of a double.");
    }
    return put(value);
  }
  bool String(const char* begin, json::SizeType length, bool /*copy*/) {
    return put(checked(begin, length));
  }
  bool Key(const char* begin, json::SizeType length, bool /*copy*/) {
    path_.back() = checked(begin, length);
    return true;
  }
  bool StartObject() { return open(false); }
  bool StartArray() { return open(true); }
  bool EndObject(json::SizeType /*members*/) { return close(); }
  bool EndArray(json::SizeType /*elements*/) { return close(); }
  // NOLINTEND(readability-identifier-naming)

 private:
  [[nodiscard]] std::size_t offset(const char* at) const {
    return static_cast<std::size_t>(at - text_);
  }

  [[nodiscard]] std::string checked(const char* begin, std::size_t length) const {
    if (!is_utf8({begin, length})) {
      fail(offset(begin), json::GetParseError_En(json::kParseErrorStringInvalidEncoding));
    }
    return {begin, length};
  }

  bool put(JsonScalar value) {
    consumer_.scalar(path_, std::move(value));
    return true;
  }

  bool open(bool array) {
    if (path_.size() == max_json_depth) throw JsonError("its values are nested too deeply");
    consumer_.open(path_, array);
    path_.emplace_back(json_element);
    return true;
  }

  bool close() {
    path_.pop_back();
    consumer_.close(path_);
    return true;
  }

  const char* text_;
  JsonConsumer& consumer_;
  JsonPath path_;
};

}  // namespace

void read_json(std::string text, JsonConsumer& consumer) {
  json::InsituStringStream stream(text.data());
  Events events(text.data(), consumer);
  json::ParseResult result = json::Reader().Parse<parse_flags>(stream, events);
  // A byte 0 is the end for RapidJSON.
  if (!result.IsError() && stream.Tell() != text.size()) {
    result.Set(json::kParseErrorDocumentRootNotSingular, stream.Tell());
  }
  if (result.IsError()) fail(result.Offset(), json::GetParseError_En(result.Code()));
}

}  // namespace simdrop::detail
