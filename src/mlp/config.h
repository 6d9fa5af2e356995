// The ranges of MlpConfig.
#pragma once

#include "simdrop/mlp.hpp"

namespace simdrop::detail {

// Returns config, or throws std::invalid_argument naming the field that is out of its range.
const MlpConfig& checked_config(const MlpConfig& config);

}  // namespace simdrop::detail
