// The ranges of MlpConfig and of OptimizerConfig.
#pragma once

#include <cstddef>

#include "simdrop/mlp.hpp"
#include "simdrop/optimizer.hpp"
#include "simdrop/threads.hpp"

namespace simdrop::detail {

// Softmax of one output is always 1, and labels, which are bytes, name 256 classes at most.
constexpr bool suits_outputs(Loss loss, std::size_t outputs) noexcept {
  return loss != Loss::softmax_ce || (outputs >= 2 && outputs <= 256);
}
inline constexpr const char* softmax_outputs = "2 ... 256 with Loss::softmax_ce";

// Returns config, or throws std::invalid_argument naming the field that is out of its range.
const MlpConfig& checked_config(const MlpConfig& config);
const OptimizerConfig& checked_config(const OptimizerConfig& config);

// Who runs the calls of an object, if they do not say.
Threads own_threads(const MlpConfig& config) noexcept;

}  // namespace simdrop::detail
