// One optimiser step on single elements, in plain C++: what the vectors do, and the tails. Sources:
// see optimizer.hpp.
#pragma once

#include <cstddef>

#include "kernels/optimizer_arguments.h"

namespace simdrop::detail {
namespace {

// Elements begin ... end - 1.
inline void sgd_elements(const SgdParams& params, std::size_t begin, std::size_t end,
                         const float* gradient, float* weights, float* momentum) {
  const bool decays = params.weight_decay != 0.0F;  // 0 * Inf would be NaN
  for (std::size_t i = begin; i < end; ++i) {
    float g = gradient[i];
    if (decays) g += params.weight_decay * weights[i];
    if (momentum != nullptr) {
      momentum[i] = params.momentum * momentum[i] + g;
      g = params.nesterov ? g + params.momentum * momentum[i] : momentum[i];
    }
    weights[i] -= params.learning_rate * g;
  }
}

inline void adam_elements(const AdamParams& params, std::size_t begin, std::size_t end,
                          const float* gradient, float* weights, float* first, float* second) {
  const bool penalty = params.weight_decay != 0.0F;
  const bool decoupled = params.decay != 0.0F;
  for (std::size_t i = begin; i < end; ++i) {
    float g = gradient[i];
    if (penalty) g += params.weight_decay * weights[i];
    first[i] = params.beta1 * first[i] + params.one_minus_beta1 * g;
    second[i] = params.beta2 * second[i] + params.one_minus_beta2 * (g * g);
    const float root = __builtin_sqrtf(second[i]) * params.inv_sqrt_correction + params.epsilon;
    float step = params.step_size * (first[i] / root);
    if (decoupled) step = params.decay * weights[i] + step;
    weights[i] -= step;
  }
}

}  // namespace
}  // namespace simdrop::detail
