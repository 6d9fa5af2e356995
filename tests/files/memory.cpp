// Hostile files: what they cost, however large they claim to be, is less than 4 times what they
// hold, and next to nothing beside their own text where the first entry is wrong.
#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "helpers/count_allocations.h"
#include "helpers/mlp_fixtures.h"
#include "helpers/safetensors_file.h"
#include "helpers/temporary_directory.h"
#include "helpers/test_sizes.h"
#include "io/byte_source.h"
#include "io/checkpoint.h"
#include "io/json_reader.h"
#include "simdrop/checkpoint.hpp"

namespace {

using namespace simdrop;

// Of headers. Readers of the format take 100 MB.
std::size_t large() {
  return test::case_stride() > 3 ? 1'000'000 : 5'000'000;
}
std::size_t largest() {
  return test::case_stride() > 3 ? 1'000'000 : 99'000'000;
}

std::string repeated(const std::string& piece, std::size_t size) {
  std::string text;
  text.reserve(size + piece.size());
  while (text.size() < size) text += piece;
  return text;
}

// BEFORE 0 AFTER BEFORE 1 AFTER, and so on.
std::string numbered(const std::string& before, const std::string& after, std::size_t size) {
  std::string text;
  text.reserve(size + 100);
  for (std::uint64_t i = 0; text.size() < size; ++i) text += before + std::to_string(i) + after;
  return text;
}

struct Read {
  std::string message;
  double times = 0.0;  // bytes held at the highest, as a multiple of the file's
};

Read read(const std::string& bytes) {
  detail::MemorySource source("mem", std::as_bytes(std::span(bytes)));
  MlpConfig config;
  config.max_batch = 1;
  Read result;
  const std::size_t before = test::live_bytes();
  test::forget_peak();
  result.message = test::file_error([&] {
    (void)detail::load_checkpoint(source, config,
                                  {.activation = Activation::relu, .loss = Loss::identity_mse});
  });
  result.times =
      static_cast<double>(test::peak_bytes() - before) / static_cast<double>(bytes.size());
  return result;
}

void check(const std::string& header, const std::string& part, double most) {
  const Read got = read(test::safetensors_file(header, ""));
  CAPTURE(header.substr(0, 60));
  CAPTURE(got.message);
  CHECK(got.message.find(part) != std::string::npos);
  CHECK(got.message.size() < 600);
  CHECK(got.times < most);
}

// The text of the header and a few keys.
constexpr double text_alone = 1.1;

constexpr const char* empty_tensor = R"(":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},)";

// A file whose configuration is this text.
std::string configured(const std::string& config) {
  return R"({"__metadata__":{"simdrop":)" + detail::json_string(config) + "}}";
}

}  // namespace

TEST_CASE("memory: a header is refused at its first wrong entry") {
  check('{' + numbered("\"", "\":{},", largest()), "tensor \"0\" has no dtype", text_alone);
  check('{' + numbered("\"", "\":1,", large()), "\"0\" is a value of the wrong kind", text_alone);
  check("{\"0" + std::string(empty_tensor) + numbered("\"t", "\":{},", large()),
        "tensor \"t0\" has no dtype", text_alone);
  check("{\"a\":" + std::string(large(), '['), "\"a\" is an array of the wrong", text_alone);
  check(repeated("{\"a\":", large()), "is an object of the wrong kind", text_alone);
  check("{\"a\":{\"shape\":[" + repeated("1,", large()), "too many dimensions", text_alone);
  check("{\"a\":{\"data_offsets\":[" + repeated("1,", large()), "no two data_offsets", text_alone);
  check(R"({"a":{"dtype":"F32",)" + repeated(R"("dtype":"F32",)", large()), "stands twice",
        text_alone);
  check('{' + repeated(R"("a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},)", large()),
        "\"a\" stands twice", text_alone);
  check("{\"__metadata__\":{" + repeated("\"k\":\"\",", large()), "\"k\" stands twice", text_alone);
  check("{\"__metadata__\":{" + numbered("\"", "\":{},", large()), "is an object of the wrong kind",
        text_alone);
}

TEST_CASE("memory: more entries than any network has") {
  check("{\"__metadata__\":{" + numbered("\"", "\":\"\",", large()),
        "more than 4096 keys of metadata", 1.7);
  if (test::case_stride() > 3) return;
  check('{' + numbered("\"", empty_tensor, 25'000'000), "more than 393216 tensors", 4.0);
  // Almost as many, so that all are kept.
  const std::string many = numbered("\"", empty_tensor, 19'000'000);
  check('{' + many.substr(0, many.size() - 1) + '}', "is not a Linear layer's", 4.0);
}

TEST_CASE("memory: tokens without end") {
  const std::size_t n = large();
  const std::string letters(n, 'x');
  check(letters, "does not begin with {", text_alone);
  check("{\"" + letters, "closing quotation mark", text_alone);
  check("{\"" + letters + "\":1}", "is a value of the wrong kind", 3.1);
  check("{\"" + letters + "\":{}}", "has no dtype", 3.1);
  check("{\"__metadata__\":{\"" + letters + "\":1}}", "is a value of the wrong kind", 3.1);
  check("{\"__metadata__\":{\"k\":\"" + letters + "\"}}", "holds no Linear layer", 3.1);
  check("{\"__metadata__\":{\"" + letters + "\":\"\"}}", "holds no Linear layer", 3.1);
  check("{\"" + repeated("\\n", n) + "\":1}", "is a value of the wrong kind", 3.1);
  check("{\"" + repeated("\\u00e9", n) + "\":1}", "is a value of the wrong kind", 3.1);
  check("{\"" + repeated("\\\\", n), "closing quotation mark", text_alone);
  check("{\"a\":" + std::string(n, '7'), "Number too big", text_alone);
  check("{\"a\":0." + std::string(n, '7') + '}', "\"a\" is a value of the wrong kind", text_alone);
  check("{\"a\":1e" + std::string(n, '7'), "Number too big", text_alone);
  check('{' + std::string(n, '\n') + '!', "Missing a name", text_alone);
  check("{}" + std::string(n, ' ') + '!', "must not be followed by other values", text_alone);
}

TEST_CASE("memory: configurations without end") {
  const std::size_t n = large();
  const std::string network = R"({"version":1,"network":{)";
  check(configured(network + "\"widths\":[" + repeated("1,", largest() / 10 * 9)),
        "\"network.widths\" has more elements than a network has layers", 3.2);
  check(configured(network + "\"keep_prob\":[" + repeated("0,", n)),
        "\"network.keep_prob\" has more elements than a network has layers", 3.2);
  check(configured(std::string(n, '[')), "it is no object", 3.2);
  check(configured(network + numbered("\"", "\":1,", n / 2)), "\"network.0\" is nothing", 3.2);
  check(configured(std::string(n, ' ')), "in its configuration, parse error", 3.2);
  check(configured("{\"version\":" + std::string(n, '1')), "Number too big", 3.2);
}

TEST_CASE("memory: a deep network") {
  // Of one unit a layer, so that names and offsets are most of the file.
  const std::size_t layers = test::case_stride() > 3 ? 40 : 4000;
  const test::TemporaryDirectory dir;
  MlpConfig config{.widths = std::vector<std::size_t>(layers + 1, 1), .loss = Loss::identity_mse};
  config.max_batch = 1;
  std::size_t network = 0;
  {
    const std::size_t before = test::live_bytes();
    test::forget_peak();
    const Mlp mlp(config);
    network = test::peak_bytes() - before;
    save_checkpoint(dir.name("f"), mlp);
  }
  const std::string bytes = test::read_file(dir.name("f"));
  const Read got = read(bytes);
  CHECK(got.message == "no error");
  const double own = static_cast<double>(network) / static_cast<double>(bytes.size());
  CHECK(got.times - own < 4.0);
}
