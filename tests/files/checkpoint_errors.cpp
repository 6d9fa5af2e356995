// Files of save_checkpoint() that were tampered with: every check by a file that it alone catches.
#include <doctest/doctest.h>

#include <span>
#include <string>

#include "helpers/expect_invalid.h"
#include "helpers/mlp_fixtures.h"
#include "helpers/safetensors_file.h"
#include "helpers/temporary_directory.h"
#include "io/byte_source.h"
#include "io/checkpoint.h"
#include "simdrop/checkpoint.hpp"

namespace {

using namespace simdrop;

// A 3-4-2 network with dropout and Adam.
std::string good_file(const OptimizerConfig& optimizer_config = {.kind = OptimizerKind::adam}) {
  const test::TemporaryDirectory dir;
  Mlp mlp(fixture::make_config({3, 4, 2}, Loss::softmax_ce, {1.0, 0.5}, 2));
  Optimizer optimizer(optimizer_config, mlp.parameter_sizes());
  save_checkpoint(dir.name("f"), mlp, &optimizer);
  return test::read_file(dir.name("f"));
}

std::string error_of(const std::string& bytes) {
  detail::MemorySource source("mem", std::as_bytes(std::span(bytes)));
  MlpConfig config;
  config.max_batch = 2;
  const std::string message =
      test::file_error([&] { (void)detail::load_checkpoint(source, config); });
  CHECK((message == "no error" || message.starts_with("simdrop: mem: ")));
  return message;
}

void check_error(const std::string& bytes, const std::string& part) {
  const std::string message = error_of(bytes);
  CAPTURE(message);
  CAPTURE(part);
  CHECK(message.find(part) != std::string::npos);
}

struct Edit {
  const char* from;
  const char* to;
  const char* message;
};

// The configuration is JSON in a JSON string: its quotes have a backslash in the file.
constexpr Edit configuration[] = {
    {R"("simdrop":"{)", R"("simdrop":"[)", "in its configuration, "},
    {R"("simdrop":"{)", R"("simdrop":"1{)", "in its configuration, "},
    {R"(\"version\":1)", R"(\"version\":2)", "version is 2"},
    {R"(\"version\":1,)", "", "version is missing"},
    {R"(\"version\":1)", R"(\"version\":\"1\")", "\"version\" is of the wrong kind"},
    {R"(\"network\":{)", R"(\"other\":{},\"network\":{)", "\"other\" is nothing"},
    {R"(\"seed\":)", R"(\"new\":1,\"seed\":)", "\"network.new\" is nothing"},
    {R"(\"seed\":)", R"(\"new\":[],\"seed\":)", "\"network.new\" is nothing"},
    {R"(\"seed\":)", R"(\"new\":{},\"seed\":)", "\"network.new\" is nothing"},
    {R"(\"seed\":)", R"(\"seeds\":)", "\"network.seeds\" is nothing"},
    {R"(\"seed\":)", R"(\"seed\":1,\"seed\":)", "the key \"seed\" stands twice"},
    {R"(\"seed\":)", R"(\"\\u0073eed\":1,\"seed\":)", "the key \"seed\" stands twice"},
    {R"(\"init\":\"he\",)", "", "network.init is missing"},
    {R"(\"network\":{)", R"(\"network.seed\":7,\"network\":{)", "\"network.seed\" is nothing"},
    {R"(\"network\":{)", R"(\"network\":{\"network.seed\":7,)", "is nothing that this version"},
    {R"(\"network\":{)", R"(\"optimizer.momentum\":0.5,\"network\":{)", "is nothing that this"},
    {R"(\"network\":{)", R"(\"Network\":{},\"network\":{)", "\"Network\" is nothing"},
    {R"(\"network\":{)", R"(\"\\u006eetwork\":{},\"network\":{)",
     "the key \"network\" stands twice"},
    {R"(\"network\":{)", R"(\"\":{},\"network\":{)", "\"\" is nothing"},
    {R"(\"network\":{)", R"(\"seed\":7,\"network\":{)", "\"seed\" is nothing"},
    {R"(\"network\":{)", R"(\"momentum\":0.5,\"network\":{)", "\"momentum\" is nothing"},
    {R"(\"network\":{)", R"(\"step_count\":1,\"network\":{)", "\"step_count\" is nothing"},
    {R"(\"network\":{)", R"(\"network\":[{)", "\"network\" is of the wrong kind"},
    {R"(\"network\":{)", R"(\"network\":1,\"network\":{)", "\"network\" is of the wrong kind"},
    {R"(\"network\":{)", R"(\"network\":{\"network\":{},)", "\"network.network\" is nothing"},
    {R"(\"optimizer\":{)", R"(\"optimizer\":null,\"optimizer\":{)", "\"optimizer\" is of the"},
    {R"(\"optimizer\":{)", R"(\"optimizer\":{\"seed\":1,)", "\"optimizer.seed\" is nothing"},
    {R"(\"optimizer\":{)", R"(\"optimizer\":{\"kind\":{},)", "\"optimizer.kind\" is of the wrong"},
    {R"(\"optimizer\":{)", R"(\"Optimizer\":{},\"optimizer\":{)", "\"Optimizer\" is nothing"},
    {R"(\"version\":1)", R"(\"version\":[1])", "\"version\" is of the wrong kind"},
    {R"(\"version\":1)", R"(\"Version\":1)", "\"Version\" is nothing"},
    {R"(\"version\":1)", R"(\"version\":1,\"version\":1)", "stands twice"},
    {R"(\"seed\":)", R"(\"Seed\":1,\"seed\":)", "\"network.Seed\" is nothing"},
    {R"(\"seed\":)", R"(\"seed \":1,\"seed\":)", "\"network.seed \" is nothing"},
    {R"(\"widths\":[)", R"(\"widths\":[],\"widths\":[)", "stands twice"},
    {R"(\"widths\":[)", R"(\"widths\":[[],)", "\"network.widths\" is nothing"},
    {R"(\"widths\":[)", R"(\"widths\":[{},)", "\"network.widths\" is nothing"},
    {R"(\"widths\":[)", R"(\"widths\":[\"3\",)", "\"network.widths\" is of the wrong kind"},
    {R"(\"widths\":[)", R"(\"widths\":[3.0,)", "\"network.widths\" is of the wrong kind"},
    {R"(\"seed\":)", R"(\"seed\":-)", "\"network.seed\" is of the wrong kind"},
    {R"(\"input_keep_prob\":1)", R"(\"input_keep_prob\":1.5)", "input_keep_prob is 1.5"},
    {R"(\"keep_prob\":[)", R"(\"keep_prob\":[0.5,)", "keep_prob.size() is 2"},
    {R"(\"keep_prob\":[0.5)", R"(\"keep_prob\":[-0.5)", "keep_prob[0] is -0.5"},
    {R"(\"keep_prob\":[0.5)", R"(\"keep_prob\":[true)",
     "\"network.keep_prob\" is of the wrong kind"},
    {R"(\"keep_prob\":[0.5])", R"(\"keep_prob\":0.5)",
     "\"network.keep_prob\" is of the wrong kind"},
    {R"(softmax_ce)", R"(hinge)", "\"network.loss\" is \"hinge\""},
    {R"(\"dropout_group\":0)", R"(\"dropout_group\":3)", "dropout_group is 3"},
    {R"(\"lazy_updates\":false)", R"(\"lazy_updates\":true)", "lazy_updates is 1"},
    {R"(\"lazy_updates\":false)", R"(\"lazy_updates\":0)",
     "\"network.lazy_updates\" is of the wrong kind"},
    {R"(\"widths\":[3,)", R"(\"widths\":[4,)", "widths are not those of its tensors"},
    {R"(\"widths\":[3,)", R"(\"widths\":[3,3,)", "widths are not those of its tensors"},
    {R"(\"beta1\":0.9)", R"(\"beta1\":1.5)", "beta1 is 1.5"},
    {R"(\"step_count\":0)", R"(\"step_count\":1099511627776)", "step count is 1099511627776"},
    {R"(\"kind\":\"adam\")", R"(\"kind\":\"sgd\")", "tensors that its optimizer does not know"},
    {R"(\"kind\":\"adam\")", R"(\"kind\":\"lion\")", "\"optimizer.kind\" is \"lion\""},
    {"optimizer.exp_avg_sq.0.bias", "optimizer.exp_avg_sq.1.bias",
     "has no tensor \"optimizer.exp_avg_sq.0.bias\""},
    {R"(optimizer.exp_avg.0.weight":{"dtype":"F32","shape":[4,3])",
     R"(optimizer.exp_avg.0.weight":{"dtype":"F32","shape":[3,4])", "do not fit together"},
    {R"(optimizer.exp_avg.0.weight":{"dtype":"F32")",
     R"(optimizer.exp_avg.0.weight":{"dtype":"U32")", "is U32 of 4 x 3; allowed"}};

}  // namespace

TEST_CASE("checkpoint: every contradiction in the configuration is an error") {
  const std::string good = good_file();
  REQUIRE(error_of(good) == "no error");
  for (const Edit& edit : configuration) {
    CAPTURE(edit.to);
    check_error(test::edited(good, edit.from, edit.to), edit.message);
  }
}

TEST_CASE("checkpoint: a key may be spelled with escapes") {
  const std::string good = good_file();
  CHECK(error_of(test::edited(good, R"(\"seed\")", R"(\"\\u0073eed\")")) == "no error");
}

TEST_CASE("checkpoint: a file of softmax that no labels suit") {
  const test::TemporaryDirectory dir;
  const Mlp mlp(fixture::make_config({3, 4, 1}, Loss::identity_mse, {1.0, 0.5}, 2));
  save_checkpoint(dir.name("f"), mlp);
  check_error(test::edited(test::read_file(dir.name("f")), "identity_mse", "softmax_ce"),
              "has 1 outputs; allowed: 2 ... 256 with Loss::softmax_ce");
}

TEST_CASE("checkpoint: what the caller says must be what the file says") {
  const std::string good = good_file();
  const auto with = [&](const LoadOptions& options) {
    detail::MemorySource source("mem", std::as_bytes(std::span(good)));
    return test::file_error([&] { (void)detail::load_checkpoint(source, {}, options); });
  };
  CHECK(with({.activation = Activation::relu, .loss = Loss::softmax_ce}) == "no error");
  CHECK(with({.loss = Loss::identity_mse}) ==
        "simdrop: mem: its loss is softmax_ce, but the caller says identity_mse");
  test::expect_invalid("options.activation", "Activation::identity",
                       [&] { (void)with({.activation = Activation::identity}); });
  test::expect_invalid("options.activation", "unknown",
                       [&] { (void)with({.activation = static_cast<Activation>(2)}); });
  test::expect_invalid("options.loss", "3", [&] { (void)with({.loss = static_cast<Loss>(3)}); });
}

TEST_CASE("checkpoint: metadata of the caller's own says nothing of a saved network") {
  const test::TemporaryDirectory dir;
  const Mlp mlp(fixture::make_config({3, 4, 2}, Loss::softmax_ce, {1.0, 0.5}, 2));
  const Metadata notes{{"activation", "gelu"}, {"loss", "0.25 after 3 epochs"}};
  save_checkpoint(dir.name("f"), mlp, nullptr, notes);
  const Checkpoint loaded = load_checkpoint(dir.name("f"), {});
  CHECK(loaded.metadata == notes);
  CHECK(loaded.mlp.config().loss == Loss::softmax_ce);
}

TEST_CASE("checkpoint: state that is missing, or that nobody asks for") {
  const std::string plain = good_file({});
  const std::string momentum = good_file({.momentum = 0.9});
  CHECK(error_of(plain) == "no error");
  CHECK(error_of(momentum) == "no error");
  check_error(test::edited(plain, R"(\"momentum\":0.0)", R"(\"momentum\":0.5)"),
              "has no tensor \"optimizer.momentum_buffer.0.weight\"");
  check_error(test::edited(momentum, R"(\"momentum\":0.9)", R"(\"momentum\":0)"),
              "tensors that its optimizer does not know");
  check_error(test::edited(good_file(), R"(,\"optimizer\":)", R"(,\"optimiser\":)"),
              "in its configuration");
}

TEST_CASE("checkpoint: every cut of a file, and every byte more, is an error") {
  const std::string good = good_file();
  for (std::size_t size = 0; size < good.size(); ++size) {
    CHECK(error_of(good.substr(0, size)) != "no error");
  }
  check_error(good + "x", "bytes of data, but its tensors have");
}

TEST_CASE("checkpoint: a flipped bit anywhere is an error or a file with other values") {
  const std::string good = good_file();
  for (std::size_t at = 0; at < test::header_text(good).size() + 8; ++at) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 1 << at % 8);
    (void)error_of(bad);  // the check is that nothing but a FileError comes
  }
}
