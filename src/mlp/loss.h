// Output activations, losses and their gradients; formulas in simdrop/mlp.hpp.
#pragma once

#include <cstddef>

#include "simdrop/matrix.hpp"
#include "simdrop/mlp.hpp"

namespace simdrop::detail {

// Throws std::invalid_argument if the targets do not suit the loss, the batch or the outputs.
void check_targets(Loss loss, const Targets& targets, std::size_t rows, std::size_t outputs);

// a = activation(z). a may be z.
void activate(Loss loss, ConstMatrix z, Matrix a);

// Rows [begin, end) of a batch: losses[r] = the loss of row r (from z, so that it is finite where a
// has saturated), dz = its gradient.
void loss_and_gradient(Loss loss, ConstMatrix z, ConstMatrix a, const Targets& targets,
                       std::size_t begin, std::size_t end, Matrix dz, double* losses);

// Mean loss of activations. Logarithms are clamped at -100, as PyTorch's BCELoss does, so that a
// saturated prediction costs 100 and not infinity.
double mean_loss(Loss loss, ConstMatrix a, const Targets& targets);

}  // namespace simdrop::detail
