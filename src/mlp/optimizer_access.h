// The state of an Optimizer, for updates in the epilogue of a product.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/kernel_table.h"
#include "simdrop/optimizer.hpp"

namespace simdrop::detail {

// Of the step that was begun last. Points into the optimizer.
struct OptimizerAccess {
  Optimizer& optimizer;
  Update update;
  OptimizerStep<float> step;  // but for lazy

  explicit OptimizerAccess(Optimizer& optimizer_);

  // Parameter array `index`, whose rows lie ld apart, and its state.
  [[nodiscard]] GradientTarget<float> target(std::size_t index, float* parameters,
                                             std::size_t ld) const noexcept;

  static std::vector<float>& state(Optimizer& optimizer, std::size_t which, std::size_t index) {
    return (which == 0 ? optimizer.first_ : optimizer.second_)[index];
  }
  static const std::vector<float>& state(const Optimizer& optimizer, std::size_t which,
                                         std::size_t index) {
    return (which == 0 ? optimizer.first_ : optimizer.second_)[index];
  }
  static void set_step_count(Optimizer& optimizer, std::uint64_t step) { optimizer.step_ = step; }
};

}  // namespace simdrop::detail
