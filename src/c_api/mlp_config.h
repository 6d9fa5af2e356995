// simdrop_mlp_config, as the C++ API takes it.
#pragma once

#include "simdrop/c/mlp.h"
#include "simdrop/mlp.hpp"

namespace simdrop::c_api {

inline constexpr simdrop_mlp_config mlp_defaults = {
    sizeof(simdrop_mlp_config),
    nullptr,                  // widths
    0,                        // num_widths
    nullptr,                  // keep_prob
    0,                        // num_keep_prob
    1.0,                      // input_keep_prob
    0,                        // seed
    1,                        // max_batch
    0,                        // dropout_group
    nullptr,                  // executor
    SIMDROP_UNIT_ELEMENT,     // dropout_unit
    0,                        // lazy_updates
    SIMDROP_LOSS_SOFTMAX_CE,  // loss
    SIMDROP_INIT_HE,          // init
    1,                        // num_threads
    0,                        // record
    0,                        // keep_gradients
    0,                        // reserved
};

// Executor: that of config.executor, or null. Throws std::invalid_argument for what C alone can get
// wrong.
MlpConfig mlp_config_of(const simdrop_mlp_config& config, Executor* executor);

}  // namespace simdrop::c_api
