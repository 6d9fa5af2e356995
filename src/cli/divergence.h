// Training that diverged: numbers that are no longer finite.
#pragma once

#include <span>
#include <stdexcept>
#include <string>

#include "simdrop/mlp.hpp"
#include "simdrop/optimizer.hpp"

namespace simdrop::cli {

// "training diverged in epoch 3, step 1,234: the loss is nan"
class Divergence : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

[[nodiscard]] bool all_finite(std::span<const float> values);

// nan, inf or -inf, whatever the sign of the NaN.
[[nodiscard]] std::string not_finite_text(double value);

// The first value of the network or of the optimizer's state that is not finite, as in "a weight of
// layer 2 is nan"; "" if there is none. One pass over all of them.
[[nodiscard]] std::string find_not_finite(const Mlp& network, const Optimizer& optimizer);

}  // namespace simdrop::cli
