// Any hyperparameters of which the oracle's bounds say something.
#pragma once

#include "random/draw.h"
#include "simdrop/optimizer.hpp"

namespace random_case {

inline simdrop::OptimizerConfig any_optimizer(Draw& draw) {
  simdrop::OptimizerConfig config;
  config.kind = static_cast<simdrop::OptimizerKind>(draw.below(3));
  config.learning_rate = draw.one_in(8) ? 0.0 : draw.between(0.0, .1);
  config.momentum = draw.one_in(3) ? 0.0 : draw.between(0.0, .99);
  config.nesterov = config.momentum > 0.0 && draw.one_in(2);
  config.weight_decay = draw.one_in(2) ? 0.0 : draw.between(0.0, .1);
  config.beta1 = draw.one_in(4) ? 0.0 : draw.between(0.0, .99);
  config.beta2 = draw.one_in(4) ? 0.0 : draw.between(0.0, .999);
  config.epsilon = draw.one_in(2) ? 1e-8 : draw.between(1e-6, .1);
  config.max_norm = draw.one_in(2) ? 0.0 : draw.between(.05, 3.0);
  return config;
}

}  // namespace random_case
