// DropoutUnit::neuron: which units a step keeps, and their intermediates for readers.
#include <algorithm>
#include <bit>
#include <cstring>

#include "mask_source.h"
#include "mlp/network.h"
#include "mlp/shares.h"
#include "mlp/stream_id.h"
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

// Columns of `kept` where their units are, +0 elsewhere.
void spread(const KeptUnits& kept, const Range& rows, const float* from, std::size_t ld,
            float* to) {
  for (std::size_t r = rows.begin; r < rows.end; ++r) {
    float* row = to + r * kept.units;
    std::fill(row, row + kept.units, 0.0F);
    for (std::size_t i = 0; i < kept.count; ++i) {
      row[kept.index == nullptr ? i : kept.index[i]] = from[r * ld + i];
    }
  }
}

}  // namespace

// One mask for the whole batch, by the caller's thread: it says how large the products are.
void Network::choose_units(std::size_t l, std::uint64_t step) {
  Layer& layer = layers[l];
  KeptOfLayer& kept = layer.kept;
  layer.used_keep_prob = keep_prob(l);
  kept.units = {layer.width, layer.width, nullptr, nullptr};
  const bool injected = !layer.injected.empty();
  if (!injected && layer.used_keep_prob == 1.0 && !config.record) return;
  std::uint8_t* bits = kept.bits.get();
  const std::size_t bytes = mask_bytes(layer.width);
  if (injected) {
    std::memcpy(bits, layer.injected.data(), bytes);
    if (layer.width % 8 != 0) {
      bits[bytes - 1] &= static_cast<std::uint8_t>((1U << (layer.width % 8)) - 1U);
    }
  } else {
    table_.bernoulli_mask(mask_source(l, step, 0), layer.width, bits);
  }
  if (config.record) std::memcpy(layer.mask.get(), bits, bytes);
  if (!injected && layer.used_keep_prob == 1.0) return;
  if (layer.used_keep_prob == 0.0) std::memset(bits, 0, bytes);
  std::uint32_t* index = kept.index.get();
  kept.units = {list_set_bits(bits, layer.width, index), layer.width, index, bits};
  for (std::size_t i = 0; l > 0 && i < kept.units.count; ++i) kept.bias[i] = layer.bias[index[i]];
}

bool Network::gathers(std::size_t l) const noexcept {
  return layers[l].kept.units.index != nullptr || layers[l - 1].kept.units.index != nullptr;
}

void Network::record_forward(const TeamMember& member) const {
  if (!neuron() || !config.record) return;
  const Range rows = share_of(member, forward_rows, 1, 1);
  for (std::size_t l = 0; l < last(); ++l) {
    const Layer& layer = layers[l];
    const ConstMatrix a = activation(l);
    spread(layer.kept.units, rows, a.data, a.ld, layer.kept.a.get());
    if (l > 0) spread(layer.kept.units, rows, layer.z.get(), a.ld, layer.kept.z.get());
  }
}

void Network::record_backward(const TeamMember& member) const {
  if (!neuron() || !config.record) return;
  const Range rows = share_of(member, forward_rows, 1, 1);
  for (std::size_t l = 1; l < last(); ++l) {
    const Layer& layer = layers[l];
    spread(layer.kept.units, rows, layer.da.get(), layer.columns(), layer.kept.da.get());
    spread(layer.kept.units, rows, layer.dz.get(), layer.columns(), layer.kept.dz.get());
  }
}

}  // namespace simdrop::detail
