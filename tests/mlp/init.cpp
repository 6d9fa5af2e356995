// How weights start: where they come from and how they are distributed.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "helpers/mlp_fixtures.h"

namespace {

using namespace simdrop;

MlpConfig config_of(Init init, std::uint64_t seed) {
  return {.widths = {200, 300, 100, 10}, .init = init, .seed = seed, .max_batch = 1};
}

struct Moments {
  double mean = 0.0;
  double variance = 0.0;  // about 0, the mean that it should have
  double kurtosis = 0.0;  // fourth moment over the squared variance
};

Moments moments_of(ConstMatrix w) {
  Moments m;
  double fourth = 0.0;
  for (const float value : fixture::copy_of(w)) {
    const double v = static_cast<double>(value);
    m.mean += v;
    m.variance += v * v;
    fourth += v * v * v * v;
  }
  const double n = static_cast<double>(w.size());
  m.mean /= n;
  m.variance /= n;
  m.kurtosis = fourth / n / (m.variance * m.variance);
  return m;
}

double count(ConstMatrix w) {
  return static_cast<double>(w.size());
}

}  // namespace

TEST_CASE("mlp: weights are a function of seed, layer and index alone") {
  for (const Init init : {Init::he, Init::xavier}) {
    const Mlp one(config_of(init, 3));
    auto config = config_of(init, 3);
    config.max_batch = 77;
    config.num_threads = 4;
    config.record = true;
    config.keep_prob = {0.5, 0.5};
    config.loss = Loss::identity_mse;
    CHECK(fixture::same_bits(fixture::parameters(Mlp(config)), fixture::parameters(one)));
    const Mlp other(config_of(init, 4));
    for (std::size_t l = 1; l <= 3; ++l) {
      CHECK_FALSE(
          fixture::same_bits(fixture::copy_of(other.weights(l)), fixture::copy_of(one.weights(l))));
    }
  }
  const Mlp layers({.widths = {16, 16, 16}, .max_batch = 1});
  CHECK_FALSE(
      fixture::same_bits(fixture::copy_of(layers.weights(1)), fixture::copy_of(layers.weights(2))));
}

TEST_CASE("mlp: He weights are normal with variance 2 / fan_in, within 4 sigma") {
  const Mlp mlp(config_of(Init::he, 12));
  for (std::size_t l = 1; l <= 3; ++l) {
    const ConstMatrix w = mlp.weights(l);
    const double variance = 2.0 / static_cast<double>(w.cols);
    const Moments m = moments_of(w);
    CHECK(std::abs(m.mean) <= 4.0 * std::sqrt(variance / count(w)));
    // Var(v^2) = 2 variance^2; the sample kurtosis of a normal has variance 24 / n.
    CHECK(std::abs(m.variance - variance) <= 4.0 * variance * std::sqrt(2.0 / count(w)));
    CHECK(std::abs(m.kurtosis - 3.0) <= 4.0 * std::sqrt(24.0 / count(w)));
  }
}

TEST_CASE("mlp: Xavier weights are uniform in +-sqrt(6 / (fan_in + fan_out)), within 4 sigma") {
  const Mlp mlp(config_of(Init::xavier, 12));
  for (std::size_t l = 1; l <= 3; ++l) {
    const ConstMatrix w = mlp.weights(l);
    const double limit = std::sqrt(6.0 / static_cast<double>(w.cols + w.rows));
    const double variance = limit * limit / 3.0;
    const Moments m = moments_of(w);
    CHECK(std::abs(m.mean) <= 4.0 * std::sqrt(variance / count(w)));
    // Var(v^2) = limit^4 (1/5 - 1/9) = 0.8 variance^2.
    CHECK(std::abs(m.variance - variance) <= 4.0 * variance * std::sqrt(0.8 / count(w)));
    const auto values = fixture::copy_of(w);
    const auto [low, high] = std::ranges::minmax(values);
    const double rounded_limit = limit * (1.0 + 4.0 * reference::unit_roundoff);
    CHECK(static_cast<double>(high) <= rounded_limit);
    CHECK(static_cast<double>(low) >= -rounded_limit);
    // The largest of n uniform values is below limit (1 - t) with probability (1 - t/2)^n.
    const double t = 2.0 * 12.0 / count(w);
    CHECK(static_cast<double>(high) >= limit * (1.0 - t));
    CHECK(static_cast<double>(low) <= -limit * (1.0 - t));
  }
}

TEST_CASE("mlp: neighbouring weights are uncorrelated, within 4 sigma") {
  for (const Init init : {Init::he, Init::xavier}) {
    const Mlp mlp(config_of(init, 12));
    const auto w = fixture::copy_of(mlp.weights(1));
    for (std::size_t lag = 1; lag <= 4; ++lag) {
      double product = 0.0;
      double square = 0.0;
      for (std::size_t i = 0; i + lag < w.size(); ++i) {
        product += static_cast<double>(w[i]) * static_cast<double>(w[i + lag]);
        square += static_cast<double>(w[i]) * static_cast<double>(w[i]);
      }
      CHECK(std::abs(product / square) <= 4.0 / std::sqrt(static_cast<double>(w.size() - lag)));
    }
  }
}

TEST_CASE("mlp: biases start at 0, and the parameter counts add up") {
  const Mlp mlp(config_of(Init::he, 1));
  for (std::size_t l = 1; l <= 3; ++l) {
    for (const float b : mlp.bias(l)) CHECK(b == 0.0F);
  }
  CHECK(mlp.num_layers() == 3);
  CHECK(mlp.num_parameters() == 200 * 300 + 300 + 300 * 100 + 100 + 100 * 10 + 10);
  CHECK(mlp.parameter_sizes() ==
        std::vector<std::size_t>{200 * 300, 300, 300 * 100, 100, 100 * 10, 10});
  CHECK(fixture::parameters(mlp).size() == mlp.num_parameters());
}
