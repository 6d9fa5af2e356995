// The linear layer for few rows: the weights are read where they lie, once for 16 rows of x.
#pragma once

#include <cstddef>
#include <span>

#include "kernel_table.h"
#include "simdrop/matrix.hpp"

namespace simdrop::detail {

// y = x W^T + bias, and then not y <= 0 ? y : +0 if `relu`. bias has w.rows values or none. Every
// sum is over all of k in an order that depends on k (and the table) alone: a row of y does not
// depend on the other rows, nor on num_threads. y overlaps nothing.
void linear_small(const KernelTable& table, ConstMatrix x, ConstMatrix w,
                  std::span<const float> bias, bool relu, Matrix y, int num_threads);

}  // namespace simdrop::detail
