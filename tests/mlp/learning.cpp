// Does it learn: a small network on two interleaved half-moons.
#include <doctest/doctest.h>

#include <cmath>
#include <numbers>
#include <random>
#include <vector>

#include "helpers/mlp_fixtures.h"
#include "helpers/test_sizes.h"

namespace {

using namespace simdrop;

constexpr std::size_t examples = 300;

struct Moons {
  std::vector<float> x;
  std::vector<float> y;

  ConstMatrix inputs() const { return {x.data(), examples, 2}; }
  ConstMatrix targets() const { return {y.data(), examples, 1}; }
};

Moons make_moons() {
  const auto angles = fixture::uniform(examples, 1, 0.0F, std::numbers::pi_v<float>);
  const auto noise = fixture::uniform(2 * examples, 2, -0.25F, 0.25F);
  Moons moons;
  for (std::size_t i = 0; i < examples; ++i) {
    const bool upper = i % 2 == 0;
    const float across = std::cos(angles[i]);
    const float up = std::sin(angles[i]);
    moons.x.push_back((upper ? across : 1.0F - across) + noise[2 * i]);
    moons.x.push_back((upper ? up : 0.5F - up) + noise[2 * i + 1]);
    moons.y.push_back(upper ? 1.0F : 0.0F);
  }
  return moons;
}

struct Result {
  double accuracy, first_loss, last_loss;
};

Result train(double keep_prob, const OptimizerConfig& optimizer_config) {
  MlpConfig config;
  config.widths = {2, 20, 3, 1};
  config.keep_prob = {keep_prob, keep_prob};
  config.loss = Loss::sigmoid_bce;
  config.seed = 3;
  config.max_batch = examples;
  Mlp mlp(config);
  Optimizer optimizer(optimizer_config, mlp.parameter_sizes());
  const Moons moons = make_moons();
  std::vector<float> out(examples);
  const auto loss = [&] {
    mlp.predict(moons.inputs(), {out.data(), examples, 1});
    return mlp.loss_of({out.data(), examples, 1}, moons.targets());
  };
  Result result{0.0, loss(), 0.0};
  for (int step = 0; step < 2000; ++step) {
    mlp.train_step(moons.inputs(), moons.targets(), optimizer);
  }
  result.last_loss = loss();
  std::size_t right = 0;
  for (std::size_t i = 0; i < examples; ++i) right += (out[i] > 0.5F) == (moons.y[i] > 0.5F);
  result.accuracy = static_cast<double>(right) / examples;
  return result;
}

const OptimizerConfig momentum{.learning_rate = 0.1, .momentum = 0.9};
const OptimizerConfig adam{.kind = OptimizerKind::adam, .learning_rate = 0.01};

}  // namespace

// Four thousand steps, which an emulator takes a minute for.
TEST_CASE("mlp: learns two moons without dropout" * doctest::skip(test::emulated())) {
  for (const OptimizerConfig& optimizer : {momentum, adam}) {
    const Result result = train(1.0, optimizer);
    CHECK(result.accuracy >= 0.95);
    CHECK(result.last_loss < 0.5 * result.first_loss);
  }
}

TEST_CASE("mlp: learns two moons with keep_prob 0.86") {
  for (const OptimizerConfig& optimizer : {momentum, adam}) {
    const Result result = train(0.86, optimizer);
    CHECK(result.accuracy >= 0.95);
    CHECK(result.last_loss < result.first_loss);
  }
}
