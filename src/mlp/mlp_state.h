// What an Mlp holds.
#pragma once

#include "mlp/inference.h"
#include "mlp/network.h"
#include "simdrop/mlp.hpp"

namespace simdrop {

struct Mlp::State {
  explicit State(const MlpConfig& config)
      : network(config), inference(network, config.max_batch, network.memory) {}

  detail::Network network;
  detail::Inference inference;
};

}  // namespace simdrop
