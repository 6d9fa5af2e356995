// simdrop_mlp_config, as the C++ API takes it.
#pragma once

#include <cstddef>
#include <memory>

#include "c_api/exec.h"
#include "c_api/structs.h"
#include "simdrop/c/mlp.h"
#include "simdrop/mlp.hpp"

namespace simdrop::c_api {

template <>
inline constexpr std::size_t first_size<simdrop_mlp_config> = offsetof(simdrop_mlp_config,
                                                                       reserved) +
                                                              sizeof(simdrop_mlp_config::reserved);

// Those of MlpConfig.
simdrop_mlp_config mlp_defaults();

// The network's own, or null.
inline std::unique_ptr<CExecutor> executor_of(const simdrop_mlp_config& config) {
  return config.executor == nullptr ? nullptr : std::make_unique<CExecutor>(config.executor);
}

// Executor: that of config.executor, or null. Throws std::invalid_argument for what C alone can get
// wrong.
MlpConfig mlp_config_of(const simdrop_mlp_config& config, Executor* executor);

}  // namespace simdrop::c_api
