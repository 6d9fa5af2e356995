// The state of an Optimizer, for updates in the epilogue of a product.
#pragma once

#include <cstddef>

#include "kernel_table.h"
#include "simdrop/optimizer.hpp"

namespace simdrop::detail {

// Of the step that was begun last. Points into the optimizer.
struct OptimizerAccess {
  Optimizer& optimizer;
  Update update;
  SgdParams sgd;
  AdamParams adam;

  explicit OptimizerAccess(Optimizer& optimizer_);

  // How parameter array `index`, whose rows lie ld apart, uses its gradient.
  [[nodiscard]] GradientUse<float> use(std::size_t index, float* parameters,
                                       std::size_t ld) const noexcept;
};

}  // namespace simdrop::detail
