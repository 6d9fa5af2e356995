// The ranges of MlpConfig and of OptimizerConfig.
#pragma once

#include "simdrop/mlp.hpp"
#include "simdrop/optimizer.hpp"
#include "simdrop/threads.hpp"

namespace simdrop::detail {

// Returns config, or throws std::invalid_argument naming the field that is out of its range.
const MlpConfig& checked_config(const MlpConfig& config);
const OptimizerConfig& checked_config(const OptimizerConfig& config);

// Who runs the calls of an object, if they do not say.
Threads own_threads(const MlpConfig& config) noexcept;

}  // namespace simdrop::detail
