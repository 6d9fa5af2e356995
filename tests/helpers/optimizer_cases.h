// What the tests of the optimisers share: the oracle's parameters, weights and gradients.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "helpers/mlp_fixtures.h"
#include "reference/optimizer_reference.h"
#include "simdrop/optimizer.hpp"

namespace fixture {

inline reference::Hyperparameters hyperparameters(const simdrop::OptimizerConfig& c,
                                                  std::size_t row_length = 0) {
  using simdrop::OptimizerKind;
  const auto method = c.kind == OptimizerKind::sgd    ? reference::Method::sgd
                      : c.kind == OptimizerKind::adam ? reference::Method::adam
                                                      : reference::Method::adamw;
  return {method,  c.learning_rate, c.momentum, c.nesterov, c.weight_decay,
          c.beta1, c.beta2,         c.epsilon,  c.max_norm, row_length};
}

// Away from 0: Adam divides decay * w by its own size, which says little of a w that is lost in
// rounding.
inline std::vector<float> initial_weights(std::size_t n) {
  auto weights = uniform(n, 1, 0.5F, 1.5F);
  for (std::size_t i = 0; i < n; i += 2) weights[i] = -weights[i];
  return weights;
}

inline std::vector<float> gradient_of(std::size_t n, std::uint32_t step) {
  auto g = uniform(n, 100 + step);
  for (std::size_t i = 0; i < n; i += 5) g[i] = 0.0F;  // as a dropped unit's
  return g;
}

}  // namespace fixture
