// The floats that the kernels get: each the nearest to its formula in double.
#include <doctest/doctest.h>

#include <cmath>

#include "mlp/optimizer_access.h"

namespace {

using namespace simdrop;

// |got - want| is half a unit in the last place of want at most, but for the roundings in double.
void check_nearest(float got, double want) {
  CHECK(std::abs(static_cast<double>(got) - want) <= std::abs(want) * (0x1p-24 + 0x1p-40));
}

}  // namespace

TEST_CASE("optimizer parameters: 1 - beta is rounded once") {
  for (const double beta : {0.0, 0.3, 0.9, 0.99, 0.999, 0.9999, 0.999999}) {
    const detail::AdamParams p =
        detail::adam_params({.kind = OptimizerKind::adam, .beta1 = beta, .beta2 = beta}, 1);
    check_nearest(p.beta1, beta);
    check_nearest(p.beta2, beta);
    check_nearest(p.one_minus_beta1, 1.0 - beta);
    check_nearest(p.one_minus_beta2, 1.0 - beta);
  }
}

TEST_CASE("optimizer parameters: moments are divided by the sum of the weights that they gave") {
  for (const double beta : {0.0, 0.3, 0.9, 0.99, 0.999, 0.9999}) {
    double sum = 0.0;  // of 1 at every step
    for (std::uint64_t t = 1; t <= 3000; ++t) {
      const detail::AdamParams p = detail::adam_params(
          {.kind = OptimizerKind::adam, .learning_rate = 0.01, .beta1 = beta, .beta2 = beta}, t);
      sum = static_cast<double>(p.beta1) * sum + static_cast<double>(p.one_minus_beta1);
      check_nearest(p.step_size, 0.01 / sum);
      check_nearest(p.inv_sqrt_correction, 1.0 / std::sqrt(sum));
    }
  }
}

TEST_CASE("optimizer parameters: weight decay goes to one place") {
  OptimizerConfig config{.kind = OptimizerKind::adam, .learning_rate = 1e-3, .weight_decay = 0.01};
  CHECK(detail::adam_params(config, 7).decay == 0.0F);
  check_nearest(detail::adam_params(config, 7).weight_decay, 0.01);
  config.kind = OptimizerKind::adamw;
  CHECK(detail::adam_params(config, 7).weight_decay == 0.0F);
  check_nearest(detail::adam_params(config, 7).decay, 1e-5);
  check_nearest(detail::sgd_params(config).weight_decay, 0.01);
}
