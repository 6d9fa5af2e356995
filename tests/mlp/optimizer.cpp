// Optimisers against the formulas in double, and their misuse.
#include <doctest/doctest.h>

#include <limits>
#include <string>
#include <vector>

#include "helpers/expect_invalid.h"
#include "helpers/mlp_fixtures.h"
#include "helpers/optimizer_cases.h"
#include "helpers/test_sizes.h"
#include "reference/optimizer_reference.h"
#include "simdrop/optimizer.hpp"

namespace {

using namespace simdrop;
using fixture::gradient_of;
using fixture::initial_weights;

const OptimizerConfig configs[] = {
    {.learning_rate = 0.1},
    {.learning_rate = 0.1, .weight_decay = 0.01},
    {.learning_rate = 0.05, .momentum = 0.9},
    {.learning_rate = 0.05, .momentum = 0.9, .weight_decay = 0.02},
    {.learning_rate = 0.05, .momentum = 0.8, .nesterov = true},
    {.learning_rate = 0.05, .momentum = 0.8, .nesterov = true, .weight_decay = 0.02},
    {.kind = OptimizerKind::adam},
    {.kind = OptimizerKind::adam, .weight_decay = 0.03, .beta1 = 0.8, .beta2 = 0.99},
    {.kind = OptimizerKind::adam, .beta1 = 0.0, .beta2 = 0.0, .epsilon = 0.1},
    {.kind = OptimizerKind::adamw, .learning_rate = 0.02, .weight_decay = 0.1},
    {.kind = OptimizerKind::adamw, .epsilon = 1e-3},
};

// 25 steps, the learning rate falling, one more array beside the one that is looked at.
void check_steps(const OptimizerConfig& config, std::size_t n, int num_threads) {
  CAPTURE(n);
  Optimizer optimizer(config, {3, n});
  reference::ReferenceOptimizer oracle(fixture::hyperparameters(config), n);
  std::vector<float> weights = initial_weights(n);
  std::vector<float> other(3, 1.0F);
  reference::Tensor want = fixture::tensor_of(std::span<const float>(weights));
  for (std::uint32_t step = 0; step < 25; ++step) {
    const double rate = config.learning_rate * (1.0 - 0.03 * step);
    optimizer.set_learning_rate(rate);
    oracle.set_learning_rate(rate);
    const auto gradient = gradient_of(n, step);
    optimizer.begin_step();
    optimizer.update(1, weights, gradient, num_threads);
    optimizer.update(0, other, std::vector<float>(3, 0.5F), num_threads);
    oracle.step(want.values, fixture::tensor_of(std::span<const float>(gradient)).values);
    fixture::check_close(weights, want, "step " + std::to_string(step));
  }
  CHECK(optimizer.step_count() == 25);
}

std::vector<float> weights_after(const OptimizerConfig& config, std::size_t n, int num_threads) {
  Optimizer optimizer(config, {n});
  std::vector<float> weights = initial_weights(n);
  for (std::uint32_t step = 0; step < 3; ++step) {
    optimizer.begin_step();
    optimizer.update(0, weights, gradient_of(n, step), num_threads);
  }
  return weights;
}

void check_config(const char* name, const char* value, const OptimizerConfig& config) {
  test::expect_invalid(name, value, [&] { Optimizer(config, {3}); });
}

constexpr double quiet_nan = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

}  // namespace

TEST_CASE("optimizer: 25 steps equal the formulas at every length") {
  for (const OptimizerConfig& config : configs) {
    CAPTURE(&config - configs);
    const std::size_t stride = test::case_stride() > 3 ? 3 : 1;
    for (std::size_t n = 0; n <= 70; n += stride) check_steps(config, n, 1);
    check_steps(config, 10007, 2);
  }
}

TEST_CASE("optimizer: the same on 1 to 4 threads") {
  for (const OptimizerConfig& config : configs) {
    for (const std::size_t n : {std::size_t{1}, std::size_t{70}, std::size_t{300007}}) {
      const auto want = weights_after(config, n, 1);
      for (int threads = 2; threads <= 4; ++threads) {
        CHECK(fixture::same_bits(weights_after(config, n, threads), want));
      }
    }
  }
}

TEST_CASE("optimizer: a learning rate of 0 moves nothing") {
  for (OptimizerConfig config : configs) {
    config.learning_rate = 0.0;
    CHECK(fixture::same_bits(weights_after(config, 70, 1), initial_weights(70)));
  }
}

TEST_CASE("optimizer: NaN stays in its own element") {
  for (const OptimizerConfig& config : configs) {
    Optimizer optimizer(config, {40});
    std::vector<float> weights(40, 1.0F);
    auto gradient = fixture::uniform(40, 3);
    gradient[17] = std::numeric_limits<float>::quiet_NaN();
    optimizer.begin_step();
    optimizer.update(0, weights, gradient);
    for (std::size_t i = 0; i < 40; ++i) CHECK(std::isnan(weights[i]) == (i == 17));
  }
}

TEST_CASE("optimizer: copies are independent") {
  const OptimizerConfig config{.learning_rate = 0.1, .momentum = 0.9};
  Optimizer optimizer(config, {8});
  std::vector<float> weights(8, 1.0F);
  const std::vector<float> gradient(8, 1.0F);
  optimizer.begin_step();
  optimizer.update(0, weights, gradient);
  Optimizer copy = optimizer;
  const auto step = [&](Optimizer& o) {
    auto w = weights;
    o.begin_step();
    o.update(0, w, gradient);
    return w;
  };
  const auto first = step(copy);
  step(copy);
  CHECK(fixture::same_bits(step(optimizer), first));
  CHECK(copy.step_count() == 3);
  CHECK(optimizer.step_count() == 2);
}

TEST_CASE("optimizer: a config out of range is an error that names the field") {
  check_config("kind", "3", {.kind = static_cast<OptimizerKind>(3)});
  check_config("learning_rate", "-1", {.learning_rate = -1.0});
  check_config("learning_rate", "nan", {.learning_rate = quiet_nan});
  check_config("learning_rate", "inf", {.learning_rate = infinity});
  check_config("momentum", "-0.5", {.momentum = -0.5});
  check_config("momentum", "1", {.momentum = 1.0});
  check_config("momentum", "nan", {.momentum = quiet_nan});
  check_config("nesterov", "1", {.nesterov = true});
  check_config("weight_decay", "-1", {.weight_decay = -1.0});
  check_config("weight_decay", "inf", {.weight_decay = infinity});
  check_config("beta1", "1", {.kind = OptimizerKind::adam, .beta1 = 1.0});
  check_config("beta1", "nan", {.kind = OptimizerKind::adam, .beta1 = quiet_nan});
  check_config("beta2", "-0.5", {.kind = OptimizerKind::adamw, .beta2 = -0.5});
  check_config("beta2", "1", {.kind = OptimizerKind::adamw, .beta2 = 1.0});
  check_config("epsilon", "0", {.kind = OptimizerKind::adam, .epsilon = 0.0});
  check_config("epsilon", "nan", {.kind = OptimizerKind::adam, .epsilon = quiet_nan});
  check_config("max_norm", "-1", {.max_norm = -1.0});
  check_config("max_norm", "nan", {.max_norm = quiet_nan});
  check_config("max_norm", "inf", {.max_norm = infinity});
  check_config("max_norm", "1e-50", {.max_norm = 1e-50});  // 0 as a float
}

TEST_CASE("optimizer: misuse of update is an error and changes nothing") {
  for (const OptimizerConfig& config : configs) {
    Optimizer optimizer(config, {3, 5});
    Optimizer twin(config, {3, 5});
    std::vector<float> weights(5, 1.0F);
    const std::vector<float> gradient(5, 0.5F);
    CHECK_THROWS_AS(optimizer.update(1, weights, gradient), std::invalid_argument);
    optimizer.begin_step();
    test::expect_invalid("index", "2", [&] { optimizer.update(2, weights, gradient); });
    test::expect_invalid("weights", "5", [&] { optimizer.update(0, weights, gradient); });
    test::expect_invalid("gradient", "4",
                         [&] { optimizer.update(1, weights, std::span(gradient).first(4)); });
    test::expect_invalid("threads.count", "-1",
                         [&] { optimizer.update(1, weights, gradient, -1); });
    test::expect_invalid("row_length", "2", [&] { optimizer.update(1, weights, gradient, 1, 2); });
    test::expect_invalid("row_length", "10",
                         [&] { optimizer.update(1, weights, gradient, 1, 10); });
    test::expect_invalid("learning_rate", "-1", [&] { optimizer.set_learning_rate(-1.0); });
    test::expect_invalid("learning_rate", "nan", [&] { optimizer.set_learning_rate(quiet_nan); });
    test::expect_invalid("learning_rate",
                         "e+38, rounded to float inf; allowed: finite and >= 0, also when rounded",
                         [&] { optimizer.set_learning_rate(1e39); });
    CHECK(weights == std::vector<float>(5, 1.0F));
    CHECK(optimizer.config().learning_rate == config.learning_rate);

    auto twin_weights = weights;
    twin.begin_step();
    optimizer.update(1, weights, gradient);
    twin.update(1, twin_weights, gradient);
    CHECK(fixture::same_bits(weights, twin_weights));
  }
}
