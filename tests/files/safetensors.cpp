// The safetensors reader: every check of a header by a file that it alone catches.
#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <cstring>
#include <span>
#include <string>

#include "helpers/safetensors_file.h"
#include "io/byte_source.h"
#include "io/safetensors.h"

namespace {

using namespace simdrop;

detail::SafetensorsHeader header_of(const std::string& bytes) {
  detail::MemorySource source("mem", std::as_bytes(std::span(bytes)));
  return detail::read_header(source);
}

std::string error_of(const std::string& bytes) {
  return test::file_error([&] { (void)header_of(bytes); });
}

void check_error(const std::string& bytes, const std::string& part) {
  const std::string message = error_of(bytes);
  CAPTURE(message);
  CHECK(message.starts_with("simdrop: mem: "));
  CHECK(message.find(part) != std::string::npos);
  CHECK(message.find('\n') == std::string::npos);
}

// A header, the bytes of data behind it, and a part of the message.
struct Case {
  const char* header;
  std::size_t data;
  const char* message;
};

constexpr Case bad_json[] = {
    {"", 0, "does not begin with {"},
    {"[]", 0, "does not begin with {"},
    {" {}", 0, "does not begin with {"},
    {"{", 0, "parse error"},
    {"{}}", 0, "parse error"},
    {"{} x", 0, "parse error"},
    {"{\"a\":}", 0, "parse error"},
    {"{\"\xff\":1}", 0, "parse error"},
    {"{/**/}", 0, "parse error"},
    {R"({"a":1})", 0, "\"a\" is a value of the wrong kind"},
    {R"({"a":[]})", 0, "\"a\" is an array of the wrong kind"},
    {R"({"a":null})", 0, "\"a\" is a value of the wrong kind"},
    {R"({"a":{"b":{}}})", 0, "\"a.b\" is an object of the wrong kind"},
    {R"({"a":{"b":1}})", 0, "\"a.b\" is a value of the wrong kind"},
    {R"({"a":{"b":"F32"}})", 0, "\"a.b\" is a value of the wrong kind"},
    {R"({"a":{"dtype":["F32"]}})", 0, "\"a.dtype\" is an array of the wrong kind"},
    {R"({"a":{"dtype":32}})", 0, "\"a.dtype\" is a value of the wrong kind"},
    {R"({"a":{"shape":4}})", 0, "\"a.shape\" is a value of the wrong kind"},
    {R"({"a":{"shape":[[4]]}})", 0, "is an array of the wrong kind"},
    {R"({"a":{"shape":["4"]}})", 0, "is a value of the wrong kind"},
    {R"({"a":{"shape":[4.0]}})", 0, "is a value of the wrong kind"},
    {R"({"a":{"shape":[-4]}})", 0, "is a value of the wrong kind"},
    {R"({"a":{"shape":[1e2]}})", 0, "is a value of the wrong kind"},
    {R"({"a":{"shape":[18446744073709551616]}})", 0, "is a value of the wrong kind"},
    {R"({"a":{"data_offsets":[true,1]}})", 0, "is a value of the wrong kind"},
    {R"({"__metadata__":[]})", 0, "is an array of the wrong kind"},
    {R"({"__metadata__":{"a":1}})", 0, "is a value of the wrong kind"},
    {R"({"__metadata__":{"a":{}}})", 0, "is an object of the wrong kind"},
    {R"({"__metadata__":{"shape":[]}})", 0, "is an array of the wrong kind"},
    {R"({"__metadata__":{"a":"1","a":"2"}})", 0, "\"a\" stands twice"},
    {R"({"__metadata__":{},"__metadata__":{}})", 0, "stands twice"},
    {R"({"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]},"a":{}})", 4, "\"a\" stands twice"},
    {R"({"a":{"dtype":"U8","dtype":"U8"}})", 0, "\"dtype\" stands twice"},
    {R"({"a":{"shape":[],"shape":[]}})", 0, "\"shape\" stands twice"}};

constexpr Case bad_tensors[] = {
    {R"({"a":{"shape":[1],"data_offsets":[0,4]}})", 4, "\"a\" has no dtype"},
    {R"({"a":{"dtype":"F32","data_offsets":[0,4]}})", 4, "\"a\" has no shape"},
    {R"({"a":{"dtype":"F32","shape":[1]}})", 4, "no two data_offsets"},
    {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[]}})", 4, "no two data_offsets"},
    {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}})", 4, "no two data_offsets"},
    {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,4]}})", 4, "no two data_offsets"},
    {R"({"a":{"dtype":"F31","shape":[1],"data_offsets":[0,4]}})", 4, "dtype \"F31\" is unknown"},
    {R"({"a":{"dtype":"","shape":[1],"data_offsets":[0,4]}})", 4, "dtype \"\" is unknown"},
    {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", 4,
     "4 bytes of data, but is F32 of 2"},
    {R"({"a":{"dtype":"F64","shape":[1],"data_offsets":[0,4]}})", 4,
     "4 bytes of data, but is F64 of 1"},
    {R"({"a":{"dtype":"F32","shape":[0],"data_offsets":[0,4]}})", 4,
     "4 bytes of data, but is F32 of 0"},
    {R"({"a":{"dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,0]}})", 0,
     "overflows"},
    {R"({"a":{"dtype":"F32","shape":[4611686018427387905],"data_offsets":[0,4]}})", 4, "overflows"},
    {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}})", 4, "ends before it begins"},
    {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[18446744073709551612,0]}})", 4,
     "ends before"},
    {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 4,
     "4 bytes of data, but its tensors have 8"},
    {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 5,
     "5 bytes of data, but its tensors have 4"},
    {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})", 8,
     "before tensor \"a\" is a gap"},
    {R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[2],"data_offsets":[6,8]}})",
     8, "before tensor \"b\" is a gap"},
    {R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[3,7]}})",
     7, "\"b\" overlaps another"},
    {R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}})",
     4, "\"b\" overlaps another"},
    {"{}", 1, "1 bytes of data, but its tensors have 0"}};

}  // namespace

TEST_CASE("safetensors: every malformed header is an error") {
  for (const auto cases : {std::span<const Case>(bad_json), std::span<const Case>(bad_tensors)}) {
    for (const Case& bad : cases) {
      CAPTURE(bad.header);
      check_error(test::safetensors_file(bad.header, std::string(bad.data, 'x')), bad.message);
    }
  }
}

TEST_CASE("safetensors: header lengths are checked against the file and the format's limit") {
  for (const char* bytes : {"", "1234567"}) check_error(bytes, "not a safetensors file: it has");
  check_error(test::safetensors_file("{}", "", 3), "3 bytes; possible: at most 2");
  check_error(test::safetensors_file("{}", "", ~std::uint64_t{0}), "18446744073709551615 bytes");
  check_error(test::safetensors_file("{}", "", ~std::uint64_t{0} - 7), "possible: at most 2");
  check_error(test::safetensors_file("{}", "", 0), "does not begin with {");
  CHECK(error_of(test::safetensors_file("{}", "")) == "no error");

  // A source that is large without memory: nothing but the length may be read.
  class Large final : public detail::ByteSource {
   public:
    Large() : ByteSource("mem", std::uint64_t{1} << 40) {}
    void read(std::uint64_t offset, std::span<std::byte> out) override {
      REQUIRE(offset + out.size() <= 8);
      const std::string bytes = test::safetensors_file("", "", 100'000'001);
      std::memcpy(out.data(), bytes.data() + offset, out.size());
    }
  };
  const std::string message = test::file_error([] {
    Large large;
    (void)detail::read_header(large);
  });
  CHECK(message.find("100000001 bytes; possible: at most 100000000") != std::string::npos);
}

TEST_CASE("safetensors: what a parser could be led astray by") {
  const std::string zero = "{}" + std::string(1, '\0') + "[";
  check_error(test::safetensors_file(zero, ""), "must not be followed by other values");
  const std::string deep = "{\"a\":" + std::string(1'000'000, '[');
  check_error(test::safetensors_file(deep, ""), "is an array of the wrong kind");
  std::string objects = "{";
  for (int i = 0; i < 100'000; ++i) objects += "\"a\":{";
  check_error(test::safetensors_file(objects, ""), "is an object of the wrong kind");
  std::string dimensions = R"({"a":{"shape":[)";
  for (int i = 0; i < 65; ++i) dimensions += "1,";
  check_error(test::safetensors_file(dimensions, ""), "too many dimensions");
  const std::string long_name(100'000, 'n');
  CHECK(error_of(test::safetensors_file("{\"" + long_name + "\":1}", "")).size() < 400);
  check_error(test::safetensors_file("{\"a\\nb\x7f\xc3\xbc\":1}", ""), "\"a?b???\"");
}

TEST_CASE("safetensors: good headers") {
  const auto header = header_of(test::safetensors_file(
      R"({"b":{"data_offsets":[8,14],"shape":[3],"dtype":"BF16"},"__metadata__":{"k":"v\u00fc\n"},)"
      R"("a":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},)"
      R"("s":{"dtype":"U8","shape":[],"data_offsets":[14,15]},)"
      R"("e":{"dtype":"F64","shape":[0,7],"data_offsets":[8,8]}}   )",
      std::string(15, 'x')));
  CHECK(header.metadata == Metadata{{"k", "v\xc3\xbc\n"}});
  REQUIRE(header.tensors.size() == 4);
  const detail::TensorInfo& b = *header.tensors.find("b");
  CHECK(b.name == "b");
  CHECK(b.dtype == std::string("BF16"));
  CHECK(b.rank == 1);
  CHECK(b.shape[0] == 3);
  CHECK(b.begin == 8);
  CHECK(b.end == 14);
  CHECK(header.tensors.find("s")->rank == 0);
  CHECK(header.tensors.find("e")->rank == 2);
}

TEST_CASE("safetensors: elements are little-endian, wherever rows lie") {
  const std::string bytes = test::safetensors_file(
      R"({"a":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]}})",
      std::string("\x00\x00\x80\x3f\x00\x00\x00\xc0\x01\x00\xa0\x7f\x00\x00\x80\x7f", 16));
  detail::MemorySource source("mem", std::as_bytes(std::span(bytes)));
  const auto header = detail::read_header(source);
  for (const std::size_t ld : {std::size_t{2}, std::size_t{3}}) {
    std::array<float, 6> out{};
    out.fill(7.0F);
    detail::read_tensor(source, header, *header.tensors.begin(), {out.data(), 2, 2, ld});
    CHECK(out[0] == 1.0F);
    CHECK(out[1] == -2.0F);
    std::uint32_t bits = 0;  // a signalling NaN, as it is in the file
    std::memcpy(&bits, &out[ld], sizeof(bits));
    CHECK(bits == 0x7fa00001);
    CHECK(std::isinf(out[ld + 1]));
    if (ld == 3) CHECK(out[2] == 7.0F);
    CHECK(out[5] == 7.0F);
  }
}
