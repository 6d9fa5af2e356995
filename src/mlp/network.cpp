#include "mlp/network.h"

#include <algorithm>

#include "dispatch/dispatch.h"
#include "linear/blocking.h"
#include "mlp/config.h"
#include "mlp/init.h"
#include "simdrop/mask.hpp"
#include "threading/parallel.h"

namespace simdrop::detail {
namespace {

// A pass has several barriers, so a thread must have more to do than in one product.
constexpr double products_per_pass = 8.0;

}  // namespace

Network::Network(const MlpConfig& config_)
    : config(config_),
      memory(kernels(), config.widths, config.max_batch, Passes::both, own_threads(config)),
      layers(config.widths.size()),
      table_(kernels()) {
  if (config.keep_prob.empty()) config.keep_prob.assign(layers.size() - 2, 1.0);
  for (std::size_t l = 0; l < layers.size(); ++l) layers[l].width = config.widths[l];
  allocate();
  for (std::size_t l = 1; l < layers.size(); ++l) {
    initialise_weights(table_, config.init, config.seed, l, weights(l), own_threads(config));
    std::ranges::fill(bias(l), 0.0F);
  }
}

// All at once, so that no later call allocates. Pages that are never written cost nothing.
void Network::allocate() {
  groups_.reserve(max_groups());
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
    if (l == last() || (hidden && config.record)) layer.z = make_buffer<float>(units);
    if (hidden && config.record) layer.da = make_buffer<float>(units);
    if (l < last()) layer.mask = make_buffer<std::uint8_t>(mask_bytes(units) + mask_slack);
    layer.kept.units.resize(max_groups());
    keep_all(layer);
    if (neuron()) allocate_kept(l);
  }
  losses_ = make_buffer<double>(config.max_batch);
}

void Network::allocate_kept(std::size_t l) {
  Layer& layer = layers[l];
  KeptOfLayer& kept = layer.kept;
  const std::size_t units = checked_product(max_groups(), layer.width);
  if (l < last()) {
    kept.index = make_buffer<std::uint32_t>(units);
    kept.bits = make_buffer<std::uint8_t>(max_groups() * (mask_bytes(layer.width) + mask_slack));
  }
  if (l == 0) layer.a = make_buffer<float>(checked_product(config.max_batch, kept_ld(layer.width)));
  if (l > 0) kept.bias = make_buffer<float>(units);
  if (l > 1) {
    kept.weights = make_buffer<float>(checked_product(units, kept_ld(layers[l - 1].width)));
  }
  if (!config.record || l == last()) return;
  const std::size_t whole = config.max_batch * layer.width;
  kept.a = make_buffer<float>(whole);
  if (l == 0) return;
  for (auto* buffer : {&kept.z, &kept.da, &kept.dz}) *buffer = make_buffer<float>(whole);
}

std::size_t Network::workspace_bytes() const noexcept {
  std::size_t floats = memory.floats();
  for (std::size_t l = 2; neuron() && l <= last(); ++l) {
    floats += max_groups() * layers[l].width * kept_ld(layers[l - 1].width);
  }
  return sizeof(float) * floats;
}

Threads Network::team_for(const Threads& threads, std::size_t rows, double times) const noexcept {
  double weights = 0.0;
  for (std::size_t l = 1; l <= last(); ++l) {
    weights += static_cast<double>(layers[l].width) * static_cast<double>(layers[l - 1].width);
  }
  const auto members = static_cast<std::size_t>(threads.count);
  const double multiply_adds = weights * times * static_cast<double>(rows) / products_per_pass;
  return of_size(threads, useful_threads(members, multiply_adds));
}

std::size_t Network::injected_size(std::size_t layer) const noexcept {
  return (neuron() ? max_groups() : config.max_batch) * layers[layer].width;
}

std::size_t Network::mask_size(std::size_t layer) const noexcept {
  return (neuron() ? groups_.size() : forward_rows) * layers[layer].width;
}

double& Network::keep_prob(std::size_t layer) {
  return layer == 0 ? config.input_keep_prob : config.keep_prob[layer - 1];
}

double Network::keep_prob(std::size_t layer) const {
  return layer == 0 ? config.input_keep_prob : config.keep_prob[layer - 1];
}

Matrix Network::weights(std::size_t layer) const {
  return {layers[layer].weights.get(), layers[layer].width, layers[layer - 1].width};
}

std::span<float> Network::bias(std::size_t layer) const {
  return {layers[layer].bias.get(), layers[layer].width};
}

}  // namespace simdrop::detail
