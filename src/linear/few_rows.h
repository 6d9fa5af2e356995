// The linear layer for few rows: the weights are read where they lie, once for 16 rows of x.
#pragma once

#include <cstddef>
#include <span>

#include "kernels/kernel_table.h"
#include "simdrop/matrix.hpp"
#include "threading/parallel.h"

namespace simdrop::detail {

// y = x W^T + bias, and then not y <= 0 ? y : +0 if `relu`: a member's share of the columns. bias
// has w.rows values or none. Every sum is over all of k in an order that depends on k (and the
// table) alone: a row of y does not depend on the other rows, nor on the team. y overlaps nothing.
void linear_few_rows(const KernelTable& table, const TeamMember& member, ConstMatrix x,
                     ConstMatrix w, std::span<const float> bias, bool relu, Matrix y);

}  // namespace simdrop::detail
