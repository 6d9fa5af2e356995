// The parameters of one optimiser step. Sources: see simdrop/optimizer.hpp.
#pragma once

namespace simdrop::detail {

// weight_decay is added to the gradient; 0 leaves the term out.
struct SgdParams {
  float learning_rate, momentum, weight_decay;
  bool nesterov;
};

// step_size = lr / (1 - beta1^t); inv_sqrt_correction = 1 / sqrt(1 - beta2^t). Weight decay is
// added to the gradient (weight_decay, Adam) or takes lr * wd of the weights off them (decay,
// AdamW); 0 leaves the term out, and one of the two must be 0.
struct AdamParams {
  float beta1, one_minus_beta1, beta2, one_minus_beta2, epsilon, weight_decay, decay, step_size,
      inv_sqrt_correction;
};

}  // namespace simdrop::detail
