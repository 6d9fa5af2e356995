// The product of a few rows with a matrix, row by row, in plain C++; sums in the order of k.
#pragma once

#include <cstddef>

namespace simdrop::detail {
namespace {

inline void few_rows_f32(std::size_t m, std::size_t n, std::size_t k, const float* x,
                         std::size_t ldx, const float* w, std::size_t ldw, const float* bias,
                         bool with_relu, float* y, std::size_t ldy) {
  for (std::size_t j = 0; j < n; ++j, w += ldw) {
    for (std::size_t i = 0; i < m; ++i) {
      float z = 0.0F;
      for (std::size_t p = 0; p < k; ++p) z += x[i * ldx + p] * w[p];
      if (bias != nullptr) z += bias[j];
      y[i * ldy + j] = with_relu && z <= 0.0F ? 0.0F : z;
    }
  }
}

}  // namespace
}  // namespace simdrop::detail
