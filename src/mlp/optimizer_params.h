// What the kernels need of an OptimizerConfig: computed in double, each rounded to float once.
#pragma once

#include <cmath>
#include <cstdint>

#include "kernels/kernel_table.h"
#include "simdrop/optimizer.hpp"

namespace simdrop::detail {

inline SgdParams sgd_params(const OptimizerConfig& config) {
  return {static_cast<float>(config.learning_rate), static_cast<float>(config.momentum),
          static_cast<float>(config.weight_decay), config.nesterov};
}

// One of Adam's moments: m = beta * m + one_minus_beta * x.
struct Moment {
  float beta, one_minus_beta;

  explicit Moment(double exact_beta)
      : beta(static_cast<float>(exact_beta)),
        one_minus_beta(static_cast<float>(1.0 - exact_beta)) {}

  // The sum of the weights of the first t steps, 1 - beta^t but for the rounding of the two
  // constants. Dividing by this sum, not by the exact 1 - beta^t, makes an average of the steps:
  // beta = 0.999 as a float would make it 1e-5 too small.
  [[nodiscard]] double weight(std::uint64_t t) const {
    const double b = static_cast<double>(beta);
    return static_cast<double>(one_minus_beta) * (1.0 - std::pow(b, static_cast<double>(t))) /
           (1.0 - b);
  }
};

// step: counted from 1.
inline AdamParams adam_params(const OptimizerConfig& config, std::uint64_t step) {
  const Moment first(config.beta1);
  const Moment second(config.beta2);
  const bool decoupled = config.kind == OptimizerKind::adamw;
  // lr * wd, not 1 - lr * wd, which a float rounds by up to 2^-25: 0.3 % of lr * wd = 1e-5.
  const double decay = decoupled ? config.learning_rate * config.weight_decay : 0.0;
  return {first.beta,
          first.one_minus_beta,
          second.beta,
          second.one_minus_beta,
          static_cast<float>(config.epsilon),
          decoupled ? 0.0F : static_cast<float>(config.weight_decay),
          static_cast<float>(decay),
          static_cast<float>(config.learning_rate / first.weight(step)),
          static_cast<float>(1.0 / std::sqrt(second.weight(step)))};
}

}  // namespace simdrop::detail
