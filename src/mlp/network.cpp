#include "mlp/network.h"

#include <algorithm>

#include "dispatch.h"
#include "mlp/gemm.h"
#include "mlp/init.h"
#include "parallel.h"
#include "simdrop/mask.hpp"

namespace simdrop::detail {

Network::Network(const MlpConfig& config_)
    : config(config_), layers(config_.widths.size()), table_(kernels()) {
  if (config.keep_prob.empty()) config.keep_prob.assign(layers.size() - 2, 1.0);
  for (std::size_t l = 0; l < layers.size(); ++l) layers[l].width = config.widths[l];
  allocate();
  for (std::size_t l = 1; l < layers.size(); ++l) {
    initialise_weights(table_, config.init, config.seed, l, weights(l), team());
    std::ranges::fill(bias(l), 0.0F);
  }
}

// All at once, so that no later call allocates. Pages that are never written cost nothing.
void Network::allocate() {
  std::size_t widest_hidden = 0;
  for (std::size_t l = 0; l <= last(); ++l) {
    Layer& layer = layers[l];
    const std::size_t units = checked_product(config.max_batch, layer.width);
    layer.a = make_buffer<float>(units);
    if (l > 0) {
      const std::size_t connections = checked_product(layer.width, layers[l - 1].width);
      layer.weights = make_buffer<float>(connections);
      layer.dw = make_buffer<float>(connections);
      layer.bias = make_buffer<float>(layer.width);
      layer.db = make_buffer<float>(layer.width);
      layer.dz = make_buffer<float>(units);
    }
    const bool hidden = l > 0 && l < last();
    if (hidden) widest_hidden = std::max(widest_hidden, layer.width);
    if (l == last() || (hidden && config.record)) layer.z = make_buffer<float>(units);
    if (hidden && config.record) layer.da = make_buffer<float>(units);
    if (l < last() && config.record) layer.mask = make_buffer<std::uint8_t>(mask_bytes(units));
  }
  workspace_ = make_buffer<float>(workspace_size());
  losses_ = make_buffer<double>(config.max_batch);
  const std::size_t hidden_units = checked_product(config.max_batch, widest_hidden);
  for (auto& buffer : predict_) buffer = make_buffer<float>(hidden_units);
  const std::size_t outputs = config.max_batch * layers[last()].width;
  samples_ = {make_buffer<float>(config.max_batch * layers[0].width),
              make_buffer<float>(hidden_units), make_buffer<float>(outputs),
              make_buffer<double>(outputs), make_buffer<double>(outputs)};
}

std::size_t Network::workspace_size() const noexcept {
  const std::size_t m = config.max_batch;
  std::size_t floats = 0;
  for (std::size_t l = 1; l <= last(); ++l) {
    const std::size_t in = layers[l - 1].width;
    const std::size_t out = layers[l].width;
    for (const GemmSize& size :
         {GemmSize{m, out, in}, GemmSize{m, in, out}, GemmSize{out, in, m}}) {
      floats = std::max(floats, gemm_workspace_size(table_, size));
    }
  }
  return floats;
}

int Network::team() const noexcept {
  return team_size(config.num_threads);
}

double& Network::keep_prob(std::size_t layer) {
  return layer == 0 ? config.input_keep_prob : config.keep_prob[layer - 1];
}

Matrix Network::weights(std::size_t layer) const {
  return {layers[layer].weights.get(), layers[layer].width, layers[layer - 1].width};
}

std::span<float> Network::bias(std::size_t layer) const {
  return {layers[layer].bias.get(), layers[layer].width};
}

}  // namespace simdrop::detail
