// Output activations, losses and their gradients; formulas in simdrop/mlp.hpp.
#pragma once

#include <cstddef>

#include "kernels/kernel_table.h"
#include "simdrop/matrix.hpp"
#include "simdrop/mlp.hpp"

namespace simdrop::detail {

// Throws std::invalid_argument if the targets do not suit the loss, the batch or the outputs.
void check_targets(Loss loss, const Targets& targets, std::size_t rows, std::size_t outputs);

// Rows [begin, end) of `all`: the bias, the activation and, unless targets is null, the loss (from
// z, so that it is finite where a has saturated) and its gradient.
void output_rows(const KernelTable& table, Loss loss, const OutputRows& all, const Targets* targets,
                 std::size_t begin, std::size_t end);

// Mean loss of activations. Logarithms are clamped at -100, as PyTorch's BCELoss does, so that a
// saturated prediction costs 100 and not infinity.
double mean_loss(Loss loss, ConstMatrix a, const Targets& targets);

}  // namespace simdrop::detail
