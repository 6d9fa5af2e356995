// The reader of JSON: every rule of its grammar, and any text against another parser.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "helpers/test_sizes.h"
#include "io/json_reader.h"

namespace {

using namespace simdrop::detail;
using Json = nlohmann::json;

// Everything that the reader says, on one line.
class Written final : public JsonConsumer {
 public:
  void open(const JsonPath& path, bool array) override {
    key(path);
    text += array ? '[' : '{';
    open_.push_back(array);
  }
  void close(const JsonPath& path) override {
    CHECK(path.size() + 1 == open_.size());
    text += open_.back() ? ']' : '}';
    open_.pop_back();
  }
  void scalar(const JsonPath& path, JsonScalar value) override {
    key(path);
    std::visit([&](const auto& v) { text += Json(v).dump(); }, value);
    text += ' ';
  }
  std::string text;

 private:
  void key(const JsonPath& path) {
    CHECK(path.size() == open_.size());
    if (path.empty()) return;
    CHECK(open_.back() == (path.back() == json_element));
    if (!open_.back()) text += Json(path.back()).dump() + ':';
  }
  std::vector<bool> open_;
};

std::string read(const std::string& text) {
  Written written;
  try {
    read_json(text, written);
  } catch (const JsonError& error) {
    return std::string("error: ") + error.what();
  }
  return written.text;
}

// The same of the other parser's events.
class Events {
 public:
  explicit Events(Written& out) : out_(out) {}
  bool null() { return put(nullptr); }
  bool boolean(bool v) { return put(v); }
  bool number_integer(std::int64_t v) { return put(v == 0 ? -0.0 : static_cast<double>(v)); }
  bool number_unsigned(std::uint64_t v) { return put(v); }
  bool number_float(double v, const std::string&) { return put(v); }
  bool string(std::string& v) { return put(v); }
  bool binary(Json::binary_t&) { return false; }
  bool start_object(std::size_t) { return open(false); }
  bool start_array(std::size_t) { return open(true); }
  bool end_object() { return close(); }
  bool end_array() { return close(); }
  bool key(std::string& name) {
    path_.back() = name;
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) {
    return false;
  }

 private:
  bool put(JsonScalar value) {
    out_.scalar(path_, std::move(value));
    return true;
  }
  bool open(bool array) {
    out_.open(path_, array);
    path_.emplace_back(json_element);
    return true;
  }
  bool close() {
    path_.pop_back();
    out_.close(path_);
    return true;
  }
  Written& out_;
  JsonPath path_;
};

std::string oracle(const std::string& text) {
  Written written;
  Events events(written);
  return Json::sax_parse(text, &events) ? written.text : "error";
}

void check_same(const std::string& text) {
  const std::string want = oracle(text), got = read(text);
  CAPTURE(text);
  CHECK((want == "error" ? got.starts_with("error: parse error at byte ") : got == want));
}

// "e-" and three digits or more.
bool has_tiny_number(const std::string& text) {
  for (std::size_t at = 0; (at = text.find("e-", at)) != std::string::npos; at += 2) {
    if (text.find_first_not_of("0123456789", at + 2) - (at + 2) >= 3) return true;
  }
  return false;
}

constexpr const char* good[] = {"{}",
                                "[]",
                                " \t\r\n{ \"a\" : [ 1 , 2 ] , \"b\" : { } } \n",
                                "0",
                                "-0.0",
                                "null",
                                "true",
                                "false",
                                "\"\"",
                                "[[],[[]],{}]",
                                "18446744073709551615",
                                "18446744073709551616",
                                "-1",
                                "-17",
                                "1e3",
                                "1E+3",
                                "12.5e-1",
                                "5e-324",
                                "1.7976931348623157e308",
                                "0.1",
                                "123456789012345678901",
                                R"("\"\\\/\b\f\n\r\t")",
                                R"("\u0041\u00e9\u20AC\ud83d\ude00\u0000")",
                                "\"\x7f\xc3\xa9\xf0\x9f\x98\x80\"",
                                R"({"":1," ":{"\u006eetwork":[]}})"};

constexpr const char* bad[] = {"",
                               " ",
                               "{",
                               "[",
                               "}",
                               "]",
                               "{]",
                               "[}",
                               "[1,]",
                               "[,1]",
                               "[1 2]",
                               "{,}",
                               "{\"a\"}",
                               "{\"a\":}",
                               "{\"a\":1,}",
                               "{\"a\" 1}",
                               "{1:2}",
                               "{a:1}",
                               "{'a':1}",
                               "{}{}",
                               "{} x",
                               "[1]]",
                               "nul",
                               "nulll",
                               "True",
                               "NaN",
                               "Infinity",
                               "-",
                               "+1",
                               "01",
                               "-01",
                               "1.",
                               ".5",
                               "1e",
                               "1e+",
                               "0x10",
                               "1_000",
                               "1e999",
                               "-1e999",
                               "\"",
                               "\"a",
                               "\"\\",
                               "\"\\\"",
                               "\"\\x41\"",
                               "\"\\u\"",
                               "\"\\u12\"",
                               "\"\\u123g\"",
                               "\"\\u-123\"",
                               "\"\\ud800\"",
                               "\"\\ud800\\u0041\"",
                               "\"\\udc00\"",
                               "\"\\ud800\\ud800\"",
                               "\"\\ud800x\"",
                               "\"\n\"",
                               "\"\x1f\"",
                               "\"\xff\"",
                               "\"\xc3\"",
                               "\"\xc0\x80\"",
                               "\"\xed\xa0\x80\"",
                               "\"\xf4\x90\x80\x80\"",
                               "\"\xe2\x82\"",
                               "\"\xe2",
                               "\"\xf0",
                               "/**/{}",
                               "{}//",
                               "\f1",
                               "\xc2\xa0{}"};

}  // namespace

TEST_CASE("json: what is JSON, as another parser reads it") {
  for (const char* text : good) {
    check_same(text);
    CHECK(oracle(text) != "error");
  }
  CHECK(read("5e-324") == "5e-324 ");
  CHECK(read(R"({"a":{"b":[1,-2.5,"x"]},"c":null})") == R"({"a":{"b":[1 -2.5 "x" ]}"c":null })");
}

TEST_CASE("json: what is none") {
  for (const char* text : bad) {
    CAPTURE(text);
    CHECK(read(text).starts_with("error: parse error at byte "));
    CHECK(oracle(text) == "error");
  }
  const std::string zero("{}\0", 3), inside("{\0}", 3);
  CHECK(read(zero) ==
        "error: parse error at byte 2: The document root must not be followed by other values.");
  CHECK(read(inside).starts_with("error"));
  CHECK(read(std::string("\"\0\"", 3)).starts_with("error"));
}

// Other parsers take these.
TEST_CASE("json: numbers that are read as out of range, and values too deep in each other") {
  const auto refused = [](const std::string& text, const std::string& part) {
    CAPTURE(text);
    CHECK(oracle(text) != "error");
    CHECK(read(text).find(part) != std::string::npos);
  };
  refused("1e-999", "parse error at byte 0: Number out of range of a double.");
  refused("[0, 0e999]", "parse error at byte 4: Number too big");
  refused("[1" + std::string(309, '0') + "e-200]", "parse error at byte 1: Number too big");
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  check_same(nested(max_json_depth));
  refused(nested(max_json_depth + 1), "error: its values are nested too deeply");
  CHECK(read(std::string(1'000'000, '[')) == "error: its values are nested too deeply");
}

TEST_CASE("json: any text, as another parser reads it") {
  std::mt19937 random(17);
  const auto below = [&](std::size_t n) { return random() % n; };
  const std::string pieces[] = {"{",       "}",       "[",
                                "]",       ":",       ",",
                                "\"",      "\\",      "\"a\"",
                                "\"b\":",  "1",       "0",
                                "-",       ".",       "e",
                                "5",       "true",    "null",
                                " ",       "\n",      "\\u00",
                                "\\ud83d", "\\ude00", "\xc3\xa9",
                                "\xe2",    "\x01",    "18446744073709551615"};
  int accepted = 0;
  const int texts = test::case_stride() > 3 ? 2000 : 20'000;
  for (int i = 0; i < texts; ++i) {
    std::string text = good[below(std::size(good))];
    for (std::size_t edits = below(4); edits > 0; --edits) {
      const std::size_t at = below(text.size() + 1);
      if (below(3) == 0 && at < text.size()) text.erase(at, 1 + below(3));
      if (below(3) != 0) text.insert(std::min(at, text.size()), pieces[below(std::size(pieces))]);
    }
    // What is too small for a double is an error here, and 0 there.
    if (has_tiny_number(text)) continue;
    check_same(text);
    if (oracle(text) != "error") ++accepted;
  }
  CHECK(accepted > texts / 8);
}
