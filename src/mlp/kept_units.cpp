#include "mlp/kept_units.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <new>

#include "mlp/layer_mask.h"
#include "simdrop/mask.hpp"

namespace simdrop::detail {
namespace {

// Indices of the set bits of n, the others of the last byte being 0.
std::size_t list_set_bits(const std::uint8_t* bits, std::size_t n, std::uint32_t* index) {
  std::size_t count = 0;
  for (std::size_t byte = 0; byte < mask_bytes(n); ++byte) {
    for (unsigned rest = bits[byte]; rest != 0; rest &= rest - 1) {
      index[count++] =
          static_cast<std::uint32_t>(8 * byte) + static_cast<std::uint32_t>(std::countr_zero(rest));
    }
  }
  return count;
}

}  // namespace

KeptLayers::KeptLayers(const Model& model) : model_(model), layers_(model.last() + 1) {
  const std::size_t most = max_groups(model.config());
  if (most > layers_[0].units.max_size()) throw std::bad_alloc();
  groups_.reserve(most);
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    layers_[l].units.resize(most);
    keep_all(l);
    if (model.drops_neurons()) allocate(l);
  }
}

void KeptLayers::allocate(std::size_t l) {
  Layer& layer = layers_[l];
  const std::size_t width = model_.width(l);
  const std::size_t units = checked_product(layer.units.size(), width);
  if (l < model_.last()) {
    layer.index = make_buffer<std::uint32_t>(units);
    layer.bits = make_buffer<std::uint8_t>(layer.units.size() * (mask_bytes(width) + mask_slack));
  }
  if (l > 0) layer.bias = make_buffer<float>(units);
  if (l > 1) {
    layer.weights = make_buffer<float>(checked_product(units, kept_ld(model_.width(l - 1))));
  }
}

KeptOfProduct<float> KeptLayers::of_product(std::size_t layer, const Group& group) const noexcept {
  const KeptUnits& outs = units(layer, group);
  const KeptUnits& ins = units(layer - 1, group);
  const bool drops_units = drops(layer) || drops(layer - 1);
  float* weights = nullptr;
  if (drops_units && layer > 1) {
    weights = layers_[layer].weights.get() +
              group.index * model_.width(layer) * kept_ld(model_.width(layer - 1));
  }
  return {drops_units, outs, ins, {weights, kept_ld(ins.count)}};
}

std::size_t KeptLayers::weights_floats() const noexcept {
  std::size_t floats = 0;
  for (std::size_t l = 2; model_.drops_neurons() && l <= model_.last(); ++l) {
    floats += layers_[l].units.size() * model_.width(l) * kept_ld(model_.width(l - 1));
  }
  return floats;
}

std::size_t KeptLayers::max_groups(const MlpConfig& config) noexcept {
  const std::size_t size = config.dropout_group;
  if (config.dropout_unit != DropoutUnit::neuron || size == 0) return 1;
  // The first row may be the last one of a group that began in an earlier call.
  const std::size_t others = config.max_batch - 1;
  return 1 + others / size + (others % size != 0 ? 1 : 0);
}

void KeptLayers::begin(std::size_t rows, std::uint64_t first_row) {
  groups_.clear();
  const std::size_t size = model_.drops_neurons() ? model_.config().dropout_group : 0;
  for (std::size_t r = 0; r < rows;) {
    const std::size_t left = rows - r;
    const std::size_t to_next = size == 0 ? left : size - (first_row + r) % size;
    groups_.push_back({groups_.size(), r, std::min(left, to_next)});
    r += groups_.back().rows;
  }
  for (std::size_t l = 0; model_.drops_neurons() && l < layers_.size(); ++l) keep_all(l);
}

bool KeptLayers::drops_none() const noexcept {
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    if (drops(l)) return false;
  }
  return true;
}

void KeptLayers::keep_all(std::size_t l) {
  const std::size_t width = model_.width(l);
  for (KeptUnits& units : layers_[l].units) units = {width, width, nullptr, nullptr};
}

void KeptLayers::keep(std::size_t layer, const std::uint8_t* mask) {
  for (const Group& group : groups_) keep_in_group(layer, group, mask);
}

void KeptLayers::keep_in_group(std::size_t l, const Group& group, const std::uint8_t* mask) {
  Layer& layer = layers_[l];
  const std::size_t width = model_.width(l);
  const std::size_t first = group.index * width;
  const std::size_t bytes = mask_bytes(width);
  std::uint8_t* bits = layer.bits.get() + group.index * (bytes + mask_slack);
  if (mask == nullptr) {
    std::memset(bits, 0, bytes);
  } else {
    extract_bits(mask, first, width, bits);
  }
  std::uint32_t* index = layer.index.get() + first;
  const std::size_t count = list_set_bits(bits, width, index);
  layer.units[group.index] = {count, width, index, bits};
  if (l == 0) return;
  const std::span<const float> bias = model_.bias(l);
  for (std::size_t i = 0; i < count; ++i) layer.bias[first + i] = bias[index[i]];
}

}  // namespace simdrop::detail
