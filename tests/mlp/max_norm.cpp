// The max-norm constraint through Optimizer and Mlp, against the formulas in double.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "helpers/mlp_fixtures.h"
#include "helpers/optimizer_cases.h"
#include "helpers/test_sizes.h"
#include "reference/optimizer_reference.h"
#include "simdrop/optimizer.hpp"

namespace {

using namespace simdrop;

const OptimizerConfig configs[] = {
    {.learning_rate = 0.1},
    {.learning_rate = 0.05, .momentum = 0.9, .weight_decay = 0.02},
    {.learning_rate = 0.05, .momentum = 0.8, .nesterov = true},
    {.kind = OptimizerKind::adam, .weight_decay = 0.03, .beta1 = 0.8, .beta2 = 0.99},
    {.kind = OptimizerKind::adamw, .learning_rate = 0.02, .weight_decay = 0.1},
};

double norm_of(std::span<const float> row) {
  double squares = 0.0;
  for (const float v : row) squares += static_cast<double>(v) * static_cast<double>(v);
  return std::sqrt(squares);
}

// What rounding every element of a row to float adds to its norm at most, and then some.
constexpr double rounding = 1.0 + 0x1p-23;

// Row 0 stays below the constraint, the others start above it.
constexpr std::size_t row_count = 4;
std::vector<float> initial_rows(std::size_t cols) {
  auto weights = fixture::initial_weights(row_count * cols);
  for (std::size_t j = 0; j < cols; ++j) weights[j] *= 0.25F;
  return weights;
}

// Six steps: the oracle cannot know that errors of weights and norm are related, and so doubles
// its bound in each.
void check_steps(OptimizerConfig config, std::size_t cols) {
  CAPTURE(cols);
  config.max_norm = 0.45 * std::sqrt(static_cast<double>(cols));
  const std::size_t n = row_count * cols;
  Optimizer optimizer(config, {n});
  reference::ReferenceOptimizer oracle(fixture::hyperparameters(config, cols), n);
  std::vector<float> weights = initial_rows(cols);
  reference::Tensor want = fixture::tensor_of(std::span<const float>(weights));
  for (std::uint32_t step = 0; step < 6; ++step) {
    auto gradient = fixture::gradient_of(n, step);
    for (std::size_t j = 0; j < cols; ++j) gradient[j] *= 0.01F;
    optimizer.begin_step();
    optimizer.update(0, weights, gradient, 1, cols);
    oracle.step(want.values, fixture::tensor_of(std::span<const float>(gradient)).values);
    fixture::check_close(weights, want, "step " + std::to_string(step));
    for (std::size_t r = 0; r < row_count; ++r) {
      CHECK(norm_of(std::span(weights).subspan(r * cols, cols)) <= config.max_norm * rounding);
    }
    if (step == 0) {
      const double last = norm_of(std::span(weights).last(cols));
      CHECK(std::abs(last / config.max_norm - 1.0) <= 0x1p-23);
    }
  }
  CHECK(norm_of(std::span(weights).first(cols)) < config.max_norm);
}

std::vector<float> weights_after(OptimizerConfig config, std::size_t rows, std::size_t cols,
                                 int num_threads) {
  config.max_norm = std::sqrt(static_cast<double>(cols));
  Optimizer optimizer(config, {rows * cols});
  std::vector<float> weights = fixture::initial_weights(rows * cols);
  for (std::uint32_t step = 0; step < 2; ++step) {
    optimizer.begin_step();
    optimizer.update(0, weights, fixture::gradient_of(rows * cols, step), num_threads, cols);
  }
  return weights;
}

}  // namespace

TEST_CASE("max-norm: 6 steps equal the formulas at every row length") {
  for (const OptimizerConfig& config : configs) {
    CAPTURE(&config - configs);
    for (std::size_t cols = 1; cols <= 70; ++cols) check_steps(config, cols);
    check_steps(config, 1031);
  }
}

TEST_CASE("max-norm: the same on 1 to 8 threads") {
  struct Shape {
    std::size_t rows, cols;
  };
  const Shape shapes[] = {{1, 1}, {97, 1031}, {20011, 7}, {131077, 1}, {3, 40001}};
  for (const OptimizerConfig& config : configs) {
    for (const Shape& shape : shapes) {
      CAPTURE(shape.rows);
      const auto want = weights_after(config, shape.rows, shape.cols, 1);
      for (const int threads : test::thread_counts()) {
        CHECK(fixture::same_bits(weights_after(config, shape.rows, shape.cols, threads), want));
      }
    }
  }
}

TEST_CASE("max-norm: no constraint without a row length, nor without max_norm") {
  for (OptimizerConfig config : configs) {
    const auto run = [&](double max_norm, std::size_t row_length) {
      config.max_norm = max_norm;
      Optimizer optimizer(config, {70});
      auto weights = fixture::initial_weights(70);
      optimizer.begin_step();
      optimizer.update(0, weights, fixture::gradient_of(70, 0), 1, row_length);
      return weights;
    };
    const auto want = run(0.0, 0);
    CHECK(fixture::same_bits(run(0.0, 7), want));
    CHECK(fixture::same_bits(run(0.5, 0), want));
    CHECK(fixture::same_bits(run(1e3, 7), want));  // not reached
    CHECK_FALSE(fixture::same_bits(run(0.5, 7), want));
  }
}

TEST_CASE("max-norm: an empty array, whatever its rows") {
  Optimizer optimizer({.max_norm = 1.0}, {0});
  optimizer.begin_step();
  CHECK_NOTHROW(optimizer.update(0, {}, {}, 1, 5));
}

TEST_CASE("max-norm: a NaN gradient stays in its element, and its row is not scaled") {
  for (OptimizerConfig config : configs) {
    config.max_norm = 1.0;
    Optimizer optimizer(config, {60});
    config.max_norm = 0.0;
    Optimizer unconstrained(config, {60});
    std::vector<float> weights(60, 1.0F);
    std::vector<float> free_weights(60, 1.0F);
    auto gradient = fixture::uniform(60, 3);
    gradient[27] = std::numeric_limits<float>::quiet_NaN();
    optimizer.begin_step();
    optimizer.update(0, weights, gradient, 1, 20);
    unconstrained.begin_step();
    unconstrained.update(0, free_weights, gradient);
    for (std::size_t i = 0; i < 60; ++i) {
      CHECK(std::isnan(weights[i]) == (i == 27));
      if (i >= 20 && i < 40 && i != 27) CHECK(weights[i] == free_weights[i]);
      if (i < 20 || i >= 40) CHECK(std::abs(weights[i]) < std::abs(free_weights[i]));
    }
  }
}

TEST_CASE("max-norm: train_step constrains the weights of every unit, and no bias") {
  for (OptimizerConfig config : configs) {
    config.max_norm = 0.5;
    const auto mlp_config = fixture::make_config({20, 33, 5}, Loss::softmax_ce, {1.0, 0.5}, 8);
    Mlp mlp(mlp_config);
    Mlp twin(mlp_config);
    for (Mlp* network : {&mlp, &twin}) {
      for (float& b : network->bias(1)) b = 4.0F;
    }
    Optimizer optimizer(config, mlp.parameter_sizes());
    Optimizer by_hand(config, mlp.parameter_sizes());
    const auto batch = fixture::make_batch(mlp_config, 8, 1);
    for (std::uint64_t step = 0; step < 3; ++step) {
      mlp.train_step(batch.inputs(), batch.targets(), optimizer);
      twin.forward(batch.inputs(), step);
      twin.backward(batch.targets());
      by_hand.begin_step();
      for (std::size_t l = 1; l <= 2; ++l) {
        const Matrix w = twin.weights(l);
        by_hand.update(2 * l - 2, {w.data, w.size()}, {twin.dw(l).data, w.size()}, 1, w.cols);
        by_hand.update(2 * l - 1, twin.bias(l), twin.db(l));
      }
    }
    CHECK(fixture::same_bits(fixture::parameters(mlp), fixture::parameters(twin)));
    for (std::size_t l = 1; l <= 2; ++l) {
      const Matrix w = mlp.weights(l);
      for (std::size_t r = 0; r < w.rows; ++r) {
        CHECK(norm_of({w.row(r), w.cols}) <= config.max_norm * rounding);
      }
    }
    for (const float b : mlp.bias(1)) CHECK(b > 3.0F);
  }
}
