// Optimiser steps over arrays, and over rows with the max-norm constraint. Compiled once for each
// instruction set.
#include <cstddef>

#include "kernels/isa/isa.h"
#include "kernels/kernel_table.h"
#include "kernels/optimizer/norm.h"
#include "kernels/optimizer/update.h"
#include "kernels/optimizer_arguments.h"

namespace simdrop::detail {
namespace {

template <class Update>
inline void update_array(const Update& update, std::size_t n, const float* gradient) {
  std::size_t i = 0;
  for (; i + lanes_f32 <= n; i += lanes_f32) update.vector(i, load(gradient + i));
  update.elements(i, n - i, gradient + i);
}

void sgd_f32(const SgdParams& params, std::size_t n, const float* gradient, float* weights,
             float* momentum) {
  with_sgd_update(params, weights, momentum,
                  [=](const auto& update) { update_array(update, n, gradient); });
}

void adam_f32(const AdamParams& params, std::size_t n, const float* gradient, float* weights,
              float* first, float* second) {
  with_adam_update(params, weights, first, second,
                   [=](const auto& update) { update_array(update, n, gradient); });
}

// A row is constrained right after its update, while it is in the cache.
void sgd_rows_f32(const SgdParams& params, double max_norm, std::size_t rows, std::size_t cols,
                  const float* gradient, float* weights, float* momentum) {
  for (std::size_t r = 0; r < rows; ++r) {
    const std::size_t at = r * cols;
    sgd_f32(params, cols, gradient + at, weights + at,
            momentum == nullptr ? nullptr : momentum + at);
    limit_norm(max_norm, cols, weights + at);
  }
}

void adam_rows_f32(const AdamParams& params, double max_norm, std::size_t rows, std::size_t cols,
                   const float* gradient, float* weights, float* first, float* second) {
  for (std::size_t r = 0; r < rows; ++r) {
    const std::size_t at = r * cols;
    adam_f32(params, cols, gradient + at, weights + at, first + at, second + at);
    limit_norm(max_norm, cols, weights + at);
  }
}

}  // namespace

namespace SIMDROP_ISA {

OptimizerKernels optimizer_kernels() noexcept {
  return {.sgd_f32 = sgd_f32,
          .adam_f32 = adam_f32,
          .sgd_rows_f32 = sgd_rows_f32,
          .adam_rows_f32 = adam_rows_f32,
          .limit_norms_f32 = limit_norms_f32};
}

}  // namespace SIMDROP_ISA
}  // namespace simdrop::detail
