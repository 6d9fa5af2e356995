// What the writer and the reader of checkpoints share.
#pragma once

#include <string>
#include <vector>

#include "io/byte_source.h"
#include "io/safetensors.h"
#include "simdrop/checkpoint.hpp"

namespace simdrop::detail {

inline constexpr const char* config_key = "simdrop";
inline constexpr const char* format_key = "format";

// Names of an optimizer's state in the file: first_, then second_, as far as it has them.
inline std::vector<const char*> state_names(const OptimizerConfig& config) {
  if (config.kind != OptimizerKind::sgd) {
    return {"optimizer.exp_avg.", "optimizer.exp_avg_sq."};
  }
  if (config.momentum > 0.0) return {"optimizer.momentum_buffer."};
  return {};
}

// All tensors of a file: each layer's weights and bias in turn, and if there is an optimizer its
// state, in the same order, as often as it has state_names().
std::vector<TensorData> saved_tensors(const Mlp& mlp, const Optimizer* optimizer);

// load_checkpoint() from anywhere.
Checkpoint load_checkpoint(ByteSource& source, const MlpConfig& defaults,
                           const LoadOptions& options = {});

}  // namespace simdrop::detail
