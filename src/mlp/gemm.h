// Single-precision matrix product on packed panels.
//
// Source: Goto and van de Geijn, "Anatomy of high-performance matrix multiplication", ACM TOMS 34
// (2008), in the form of BLIS (Van Zee and van de Geijn, ACM TOMS 41, 2015).
#pragma once

#include <cstddef>

#include "kernel_table.h"

namespace simdrop::detail {

// A matrix of any strides: element (r, c) is data[r * row_stride + c * col_stride]. So a transpose
// is the same data with its strides swapped.
struct GemmOperand {
  const float* data;
  std::size_t row_stride;
  std::size_t col_stride;
};

struct GemmSize {
  std::size_t m;
  std::size_t n;
  std::size_t k;
};

// Floats of workspace that gemm() needs for this size. It never falls as m, n or k grows.
std::size_t gemm_workspace_size(const KernelTable& table, const GemmSize& size) noexcept;

// C (m x n, row-major with leading dimension ldc) = alpha * A (m x k) * B (k x n); m, n, k >= 1.
// Every element of C is summed over k in one order, whatever num_threads is. workspace is aligned
// to 64 bytes; C overlaps neither A, B nor workspace.
void gemm(const KernelTable& table, const GemmSize& size, float alpha, const GemmOperand& a,
          const GemmOperand& b, float* c, std::size_t ldc, float* workspace, int num_threads);

}  // namespace simdrop::detail
