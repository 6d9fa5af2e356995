// Misuse of the MLP: an error that names the argument, and nothing changed.
#include <doctest/doctest.h>

#include <functional>
#include <limits>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "helpers/expect_invalid.h"
#include "helpers/mlp_fixtures.h"
#include "helpers/pools.h"

namespace {

using namespace simdrop;

// The statement must throw an error that names the argument and tells its value.
#define CHECK_NAMES(name, value, ...) test::expect_invalid(name, value, [&] { __VA_ARGS__; })

MlpConfig good_config(Loss loss = Loss::softmax_ce) {
  return fixture::make_config({5, 9, 8, 3}, loss, {0.8, 0.5, 0.75}, 6);
}

// Everything that a caller can see of a network after a step.
std::vector<float> everything(const Mlp& mlp) {
  auto out = fixture::parameters(mlp);
  const auto append = [&](ConstMatrix m) {
    const auto part = fixture::copy_of(m);
    out.insert(out.end(), part.begin(), part.end());
  };
  for (std::size_t l = 1; l <= mlp.num_layers(); ++l) {
    append(mlp.z(l));
    append(mlp.a(l));
    append(mlp.dz(l));
    append(mlp.dw(l));
    append(mlp.db(l));
  }
  return out;
}

struct BadProbability {
  double value;
  const char* text;
};
constexpr BadProbability bad_probabilities[] = {{std::numeric_limits<double>::quiet_NaN(), "nan"},
                                                {-0.5, "-0.5"},
                                                {1.5, "1.5"},
                                                {std::numeric_limits<double>::infinity(), "inf"}};

void check_config(const char* name, const char* value,
                  const std::function<void(MlpConfig&)>& spoil) {
  MlpConfig config = good_config();
  spoil(config);
  CHECK_NAMES(name, value, Mlp mlp(config));
}

}  // namespace

TEST_CASE("mlp: a config out of range is an error that names the field") {
  check_config("widths", "0", [](MlpConfig& c) { c.widths = {}; });
  check_config("widths", "1", [](MlpConfig& c) { c.widths = {5}; });
  check_config("widths", "0", [](MlpConfig& c) { c.widths = {5, 0, 8, 3}; });
  check_config("widths", "0", [](MlpConfig& c) { c.widths = {0, 9, 8, 3}; });
  check_config("keep_prob", "1", [](MlpConfig& c) { c.keep_prob = {0.5}; });
  check_config("keep_prob", "3", [](MlpConfig& c) { c.keep_prob = {0.5, 0.5, 0.5}; });
  for (const BadProbability& bad : bad_probabilities) {
    check_config("keep_prob", bad.text, [&](MlpConfig& c) { c.keep_prob[1] = bad.value; });
    check_config("input_keep_prob", bad.text, [&](MlpConfig& c) { c.input_keep_prob = bad.value; });
  }
  check_config("max_batch", "0", [](MlpConfig& c) { c.max_batch = 0; });
  check_config("num_threads", "-1", [](MlpConfig& c) { c.num_threads = -1; });
  check_config("loss", "3", [](MlpConfig& c) { c.loss = static_cast<Loss>(3); });
  check_config("init", "-1", [](MlpConfig& c) { c.init = static_cast<Init>(-1); });
  CHECK_NOTHROW(Mlp{good_config()});
}

TEST_CASE("mlp: misuse of forward and backward is an error and changes nothing") {
  Mlp mlp(good_config());
  const auto batch = fixture::make_batch(mlp.config(), 7, 1);
  const auto six = batch.slice(0, 6);
  CHECK_THROWS_AS(mlp.backward(six.targets()), std::logic_error);
  mlp.forward(six.inputs(), 0);
  mlp.backward(six.targets());
  const auto before = everything(mlp);
  const float* x = batch.x.data();
  CHECK_NAMES("x", "0", mlp.forward({x, 0, 5}, 0));
  CHECK_NAMES("x", "7", mlp.forward({x, 7, 5}, 0));
  CHECK_NAMES("x", "4", mlp.forward({x, 6, 4}, 0));
  CHECK_NAMES("x", "6", mlp.forward({x, 5, 6}, 0));
  CHECK_NAMES("x", "4", mlp.forward({x, 6, 5, 4}, 0));
  CHECK_NAMES("x", "null", mlp.forward({nullptr, 6, 5}, 0));
  CHECK_NAMES("step", "1099511627776", mlp.forward(six.inputs(), std::uint64_t{1} << 40));
  CHECK_NAMES("targets", "7", mlp.backward(batch.targets()));
  CHECK_NAMES("targets", "", mlp.backward(ConstMatrix{six.values.data(), 6, 3}));
  auto labels = six.labels;
  labels[5] = 3;
  CHECK_NAMES("targets", "3", mlp.backward(std::span<const std::uint8_t>(labels)));
  CHECK(fixture::same_bits(everything(mlp), before));
}

TEST_CASE("mlp: targets must suit the loss") {
  for (const Loss loss : {Loss::sigmoid_bce, Loss::identity_mse}) {
    Mlp mlp(good_config(loss));
    const auto batch = fixture::make_batch(mlp.config(), 6, 1);
    mlp.forward(batch.inputs(), 0);
    mlp.backward(batch.targets());
    const auto before = everything(mlp);
    const float* y = batch.values.data();
    const std::vector<std::uint8_t> labels(6);
    CHECK_NAMES("targets", "", mlp.backward(std::span(labels)));
    CHECK_NAMES("targets", "5", mlp.backward(ConstMatrix{y, 5, 3}));
    CHECK_NAMES("targets", "2", mlp.backward(ConstMatrix{y, 6, 2}));
    CHECK_NAMES("targets", "2", mlp.backward(ConstMatrix{y, 6, 3, 2}));
    CHECK_NAMES("targets", "null", mlp.backward(ConstMatrix{nullptr, 6, 3}));
    for (const BadProbability& bad : bad_probabilities) {
      if (loss != Loss::sigmoid_bce) continue;
      auto values = batch.values;
      values[17] = static_cast<float>(bad.value);
      CHECK_NAMES("targets", bad.text, mlp.backward(ConstMatrix{values.data(), 6, 3}));
    }
    CHECK(fixture::same_bits(everything(mlp), before));
  }
}

TEST_CASE("mlp: misuse of train_step is an error and changes nothing") {
  Mlp mlp(good_config());
  const auto batch = fixture::make_batch(mlp.config(), 6, 1);
  auto sizes = mlp.parameter_sizes();
  Optimizer optimizer(OptimizerConfig{}, sizes);
  mlp.train_step(batch.inputs(), batch.targets(), optimizer);
  const auto before = everything(mlp);
  CHECK_NAMES("x", "4", mlp.train_step({batch.x.data(), 6, 4}, batch.targets(), optimizer));
  CHECK_NAMES("targets", "5",
              mlp.train_step(batch.inputs(), batch.slice(0, 5).targets(), optimizer));
  CHECK_NAMES("targets", "",
              mlp.train_step(batch.inputs(), ConstMatrix{batch.values.data(), 6, 3}, optimizer));
  CHECK(optimizer.step_count() == 1);
  ++sizes[3];
  Optimizer other(OptimizerConfig{}, sizes);
  CHECK_NAMES("optimizer", "9", mlp.train_step(batch.inputs(), batch.targets(), other));
  sizes.pop_back();
  Optimizer shorter(OptimizerConfig{}, sizes);
  CHECK_NAMES("optimizer", "5", mlp.train_step(batch.inputs(), batch.targets(), shorter));
  CHECK(other.step_count() == 0);
  CHECK(fixture::same_bits(everything(mlp), before));
}

TEST_CASE("mlp: misuse of predict and loss_of is an error and writes nothing") {
  Mlp mlp(good_config());
  const auto batch = fixture::make_batch(mlp.config(), 6, 1);
  const float* x = batch.x.data();
  std::vector<float> out(6 * 4, 5.0F);
  CHECK_NAMES("x", "4", mlp.predict({x, 6, 4}, {out.data(), 6, 3}));
  CHECK_NAMES("x", "4", mlp.predict({x, 6, 5, 4}, {out.data(), 6, 3}));
  CHECK_NAMES("x", "null", mlp.predict({nullptr, 6, 5}, {out.data(), 6, 3}));
  CHECK_NAMES("out", "5", mlp.predict(batch.inputs(), {out.data(), 5, 3}));
  CHECK_NAMES("out", "4", mlp.predict(batch.inputs(), {out.data(), 6, 4}));
  CHECK_NAMES("out", "2", mlp.predict(batch.inputs(), {out.data(), 6, 3, 2}));
  CHECK_NAMES("out", "null", mlp.predict(batch.inputs(), {nullptr, 6, 3}));
  CHECK(out == std::vector<float>(6 * 4, 5.0F));
  const ConstMatrix predictions{out.data(), 6, 3};
  CHECK_NAMES("predictions", "4", (void)mlp.loss_of({out.data(), 6, 4}, batch.targets()));
  CHECK_NAMES("targets", "5", (void)mlp.loss_of(predictions, batch.slice(0, 5).targets()));
  CHECK_NAMES("targets", "", (void)mlp.loss_of(predictions, predictions));
}

TEST_CASE("mlp: a layer out of range is an error") {
  Mlp mlp(good_config());
  const Mlp& view = mlp;
  const auto batch = fixture::make_batch(mlp.config(), 6, 1);
  mlp.forward(batch.inputs(), 0);
  mlp.backward(batch.targets());
  for (const std::size_t bad : {std::size_t{0}, std::size_t{4}, ~std::size_t{0}}) {
    CHECK_NAMES("layer", std::to_string(bad), (void)mlp.weights(bad));
    CHECK_NAMES("layer", std::to_string(bad), (void)view.weights(bad));
    CHECK_NAMES("layer", std::to_string(bad), (void)mlp.bias(bad));
    CHECK_NAMES("layer", std::to_string(bad), (void)view.bias(bad));
    CHECK_NAMES("layer", std::to_string(bad), (void)mlp.z(bad));
    CHECK_NAMES("layer", std::to_string(bad), (void)mlp.dz(bad));
    CHECK_NAMES("layer", std::to_string(bad), (void)mlp.dw(bad));
    CHECK_NAMES("layer", std::to_string(bad), (void)mlp.db(bad));
    CHECK_NAMES("layer", std::to_string(bad), (void)mlp.da(bad));
  }
  for (const std::size_t bad : {std::size_t{3}, std::size_t{4}, ~std::size_t{0}}) {
    CHECK_NAMES("layer", std::to_string(bad), (void)mlp.mask(bad));
    CHECK_NAMES("layer", std::to_string(bad), (void)mlp.da(bad));
    CHECK_NAMES("layer", std::to_string(bad), mlp.set_keep_prob(bad, 0.5));
    CHECK_NAMES("layer", std::to_string(bad), mlp.inject_mask(bad, {}));
  }
  CHECK_NAMES("layer", "4", (void)mlp.a(4));
  CHECK_NAMES("step", "1099511627776", (void)Mlp::mask_stream_id(0, std::uint64_t{1} << 40));
}

TEST_CASE("mlp: misuse of set_keep_prob and inject_mask is an error and changes nothing") {
  Mlp mlp(good_config());
  const auto batch = fixture::make_batch(mlp.config(), 6, 1);
  mlp.forward(batch.inputs(), 0);
  const auto masks = fixture::recorded_masks(mlp, 6);
  for (const BadProbability& bad : bad_probabilities) {
    CHECK_NAMES("keep_prob", bad.text, mlp.set_keep_prob(1, bad.value));
  }
  const std::vector<std::uint8_t> bits(mask_bytes(6 * 9) + 1);
  CHECK_NAMES("bits", "8", mlp.inject_mask(1, bits));
  CHECK_NAMES("bits", "6", mlp.inject_mask(1, std::span(bits).first(mask_bytes(6 * 9) - 1)));
  mlp.forward(batch.inputs(), 0);
  CHECK(fixture::recorded_masks(mlp, 6) == masks);
  CHECK(mlp.config().keep_prob == std::vector<double>{0.5, 0.75});
}

TEST_CASE("mlp: what was not recorded cannot be read") {
  auto config = good_config();
  config.record = false;
  Mlp mlp(config);
  const auto batch = fixture::make_batch(config, 6, 1);
  mlp.forward(batch.inputs(), 0);
  mlp.backward(batch.targets());
  CHECK_THROWS_AS((void)mlp.z(1), std::logic_error);
  CHECK_THROWS_AS((void)mlp.mask(1), std::logic_error);
  CHECK_THROWS_AS((void)mlp.da(1), std::logic_error);
  CHECK_NOTHROW((void)mlp.a(1));
  CHECK_NOTHROW((void)mlp.dz(1));
}

TEST_CASE("mlp: a moved network is the same network") {
  Mlp original(good_config());
  Mlp twin(good_config());
  const auto batch = fixture::make_batch(original.config(), 6, 1);
  original.forward(batch.inputs(), 0);
  Mlp moved(std::move(original));
  moved.backward(batch.targets());
  twin.forward(batch.inputs(), 0);
  twin.backward(batch.targets());
  CHECK(fixture::same_bits(everything(moved), everything(twin)));

  Mlp assigned(fixture::make_config({2, 3}, Loss::identity_mse, {1.0}, 1));
  assigned = std::move(moved);
  CHECK(assigned.config().widths == std::vector<std::size_t>{5, 9, 8, 3});
  CHECK(fixture::same_bits(everything(assigned), everything(twin)));
  assigned.forward(batch.inputs(), 1);
  twin.forward(batch.inputs(), 1);
  assigned.backward(batch.targets());
  twin.backward(batch.targets());
  CHECK(fixture::same_bits(everything(assigned), everything(twin)));
}

TEST_CASE("mlp: a step leaves gradients only where they are asked for") {
  auto config = good_config();
  config.record = false;
  const auto batch = fixture::make_batch(config, 6, 1);
  for (const bool keep : {false, true}) {
    config.keep_gradients = keep;
    Mlp mlp(config);
    Optimizer optimizer({}, mlp.parameter_sizes());
    mlp.train_step(batch.inputs(), batch.targets(), optimizer);
    CHECK(mlp.dz(1).rows == 6);
    if (keep) {
      CHECK(mlp.dw(1).rows == config.widths[1]);
      CHECK(mlp.db(1).size() == config.widths[1]);
    } else {
      CHECK_THROWS_AS((void)mlp.dw(1), std::logic_error);
      CHECK_THROWS_AS((void)mlp.db(1), std::logic_error);
    }
    mlp.forward(batch.inputs(), 1);
    CHECK_THROWS_AS((void)mlp.dw(1), std::logic_error);
    mlp.backward(batch.targets());
    CHECK(mlp.dw(1).rows == config.widths[1]);
  }
}

TEST_CASE("mlp: the workspace is two layers' packed operands, and scratch for each thread") {
  const auto bytes = [](std::size_t max_batch, int threads) {
    auto config = fixture::make_config({100, 200, 3}, Loss::softmax_ce, {1.0, 1.0}, max_batch);
    config.num_threads = threads;
    test::SerialExecutor pool(8);  // a build without OpenMP has no other threads
    config.executor = &pool;
    return Mlp(config).workspace_bytes();
  };
  const std::size_t operands = 2 * sizeof(float) * 64 * (100 + 200);
  CHECK(bytes(64, 1) >= operands);
  const std::size_t scratch = bytes(64, 2) - bytes(64, 1);
  CHECK(scratch > 0);
  CHECK(scratch <= std::size_t{512} << 10);
  CHECK(bytes(64, 5) == bytes(64, 1) + 4 * scratch);
  CHECK(bytes(64, 1) - scratch <= 2 * operands);
  CHECK(bytes(65, 1) > bytes(64, 1));
}
