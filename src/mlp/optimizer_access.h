// An Optimizer as kernels take it: its parameters, computed in double, each rounded to float once;
// and its state, for updates in the epilogue of a product.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

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

// Of the step that was begun last. Points into the optimizer.
struct OptimizerAccess {
  Optimizer& optimizer;
  Update update;
  OptimizerStep<float> step;  // but for lazy

  explicit OptimizerAccess(Optimizer& optimizer_);

  // Parameter array `index`, whose rows lie ld apart, and its state.
  [[nodiscard]] GradientTarget<float> target(std::size_t index, float* parameters,
                                             std::size_t ld) const noexcept;

  static std::vector<float>& state(Optimizer& optimizer, std::size_t which, std::size_t index) {
    return (which == 0 ? optimizer.first_ : optimizer.second_)[index];
  }
  static const std::vector<float>& state(const Optimizer& optimizer, std::size_t which,
                                         std::size_t index) {
    return (which == 0 ? optimizer.first_ : optimizer.second_)[index];
  }
  static void set_step_count(Optimizer& optimizer, std::uint64_t step) { optimizer.step_ = step; }
};

}  // namespace simdrop::detail
