// Rows of outputs, and the order of sums over them, in plain C++.
#pragma once

#include <cstddef>

#include "kernels/isa/isa.h"
#include "kernels/kernel_table.h"
#include "kernels/loss/math.h"

namespace simdrop::detail {
namespace {

// Calls fn(column, n) for the columns of a row, 16 at a time.
template <class Fn>
inline void for_column_sets(std::size_t cols, Fn fn) {
  for (std::size_t c = 0; c < cols; c += loss_lanes) fn(c, smaller(cols - c, loss_lanes));
}

inline void add_output_bias(const OutputRows& out) {
  if (out.bias == nullptr) return;
  for (std::size_t r = 0; r < out.rows; ++r) {
    for (std::size_t c = 0; c < out.cols; ++c) out.z[r * out.ld + c] += out.bias[c];
  }
}

}  // namespace
}  // namespace simdrop::detail
