// Output activations, losses and gradients. Compiled once for each instruction set.
#include "kernels/isa/types.h"
#include "kernels/kernel_table.h"
#if defined(SIMDROP_ISA_SCALAR)
#include "kernels/loss/elementwise_scalar.h"
#include "kernels/loss/softmax_scalar.h"
#else
#include "kernels/loss/elementwise_vector.h"
#include "kernels/loss/softmax_vector.h"
#endif

namespace simdrop::detail::SIMDROP_ISA {

LossKernels loss_kernels() noexcept {
  return {.softmax_ce_f32 = softmax_ce_f32,
          .sigmoid_bce_f32 = sigmoid_bce_f32,
          .identity_mse_f32 = identity_mse_f32};
}

}  // namespace simdrop::detail::SIMDROP_ISA
