// Output activations and losses of one row in long double, from the formulas in simdrop/mlp.hpp:
// the oracle of src/kernels/loss_*.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace reference {

struct OutputRow {
  std::vector<long double> a, dz;
  long double loss = 0.0L;
  long double log_sum = 0.0L;  // softmax: log of sum exp(z - maximum)
  long double margin = 0.0L;   // softmax: maximum - z[label]
};

OutputRow softmax_cross_entropy(std::span<const float> z, std::size_t label);
OutputRow sigmoid_cross_entropy(std::span<const float> z, std::span<const float> y);
OutputRow squared_error(std::span<const float> z, std::span<const float> y);

}  // namespace reference
