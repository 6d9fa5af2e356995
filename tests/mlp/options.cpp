// Options by name: each function with them is that with arguments one by one.
#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "helpers/expect_invalid.h"
#include "helpers/mlp_fixtures.h"
#include "helpers/pools.h"
#include "simdrop/predictor.hpp"

namespace {

using namespace simdrop;

MlpConfig make_config() {
  return fixture::make_config({5, 17, 3}, Loss::softmax_ce, {0.9, 0.5}, 8);
}

struct Predictions {
  std::vector<float> mean = std::vector<float>(8 * 3), variance = mean;
  Matrix mean_out() { return {mean, 8, 3}; }
  Matrix variance_out() { return {variance, 8, 3}; }
  bool operator==(const Predictions&) const = default;
};

}  // namespace

TEST_CASE("mlp options: forward, train_step and their threads") {
  Mlp mlp(make_config()), twin(make_config());
  const auto batch = fixture::make_batch(mlp.config(), 8, 1);
  mlp.forward(batch.inputs(), {.step = 7, .first_row = 3, .threads = 2});
  twin.forward(batch.inputs(), 7, 3, 2);
  CHECK(fixture::copy_of(mlp.a(2)) == fixture::copy_of(twin.a(2)));

  Optimizer sgd({}, mlp), other({}, twin);
  CHECK(mlp.train_step(batch.inputs(), batch.labels, sgd, {.first_row = 5, .threads = 2}) ==
        twin.train_step(batch.inputs(), batch.targets(), other, 5, 2));
  CHECK(fixture::parameters(mlp) == fixture::parameters(twin));

  const auto negative_threads = "threads.count";
  test::expect_invalid(negative_threads, "-1",
                       [&] { mlp.forward(batch.inputs(), {.threads = -1}); });
  test::expect_invalid(negative_threads, "-1",
                       [&] { mlp.train_step(batch.inputs(), batch.labels, sgd, {.threads = -1}); });
  CHECK(fixture::parameters(mlp) == fixture::parameters(twin));
}

TEST_CASE("mlp options: the object's own executor, unless .threads names another") {
  auto config = fixture::make_config({256, 512, 3}, Loss::softmax_ce, {1.0, 0.5}, 64);
  test::SerialExecutor own(2), given(2);
  config.executor = &own;
  config.num_threads = 0;
  Mlp mlp(config);
  const auto batch = fixture::make_batch(config, 64, 1);
  Optimizer sgd({}, mlp);
  own.calls = 0;
  mlp.train_step(batch.inputs(), batch.labels, sgd, {.threads = given});
  CHECK(own.calls == 0);
  CHECK(given.calls > 0);
  given.calls = 0;
  mlp.train_step(batch.inputs(), batch.labels, sgd, {.first_row = 1});
  CHECK(own.calls > 0);
  CHECK(given.calls == 0);
}

TEST_CASE("mlp options: predict_monte_carlo, of an Mlp and of a Predictor") {
  Mlp mlp(make_config());
  const auto batch = fixture::make_batch(mlp.config(), 8, 1);
  Predictions want, got, of_predictor;
  mlp.predict_monte_carlo(batch.inputs(), 6, want.mean_out(), want.variance_out(), 4, 9, 2);
  const MonteCarloOptions options{.samples = 6, .first_sample = 4, .first_row = 9, .threads = 2};
  mlp.predict_monte_carlo(batch.inputs(), got.mean_out(), got.variance_out(), options);
  CHECK(got == want);
  Predictor predictor(mlp, 8);
  predictor.predict_monte_carlo(batch.inputs(), of_predictor.mean_out(),
                                of_predictor.variance_out(), options);
  CHECK(of_predictor == want);
  test::expect_invalid("samples", "0", [&] {
    mlp.predict_monte_carlo(batch.inputs(), got.mean_out(), got.variance_out(), {.first_row = 1});
  });
  test::expect_invalid("threads.count", "-1", [&] {
    predictor.predict_monte_carlo(batch.inputs(), got.mean_out(), got.variance_out(),
                                  {.samples = 1, .threads = -1});
  });
  CHECK(got == want);
}

TEST_CASE("mlp options: an optimizer for a network has the sizes of its parameters") {
  const Mlp mlp(make_config());
  const Optimizer adam({.kind = OptimizerKind::adam, .learning_rate = 0.5}, mlp);
  CHECK(adam.sizes() == mlp.parameter_sizes());
  CHECK(adam.config().learning_rate == 0.5);
  CHECK(adam.step_count() == 0);
  test::expect_invalid("learning_rate", "-1", [&] { Optimizer({.learning_rate = -1.0}, mlp); });
}
