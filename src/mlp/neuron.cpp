// DropoutUnit::neuron: which units a step keeps, and their intermediates for readers.
#include <algorithm>
#include <bit>
#include <cstring>

#include "mask/mask_source.h"
#include "mlp/mask_bits.h"
#include "mlp/network.h"
#include "mlp/shares.h"
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

// Some rows of a group: columns of `kept` where their units are, +0 elsewhere.
void scatter(const KeptUnits& kept, const Range& rows, const float* from, std::size_t ld,
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

std::size_t Network::max_groups() const noexcept {
  const std::size_t size = config.dropout_group;
  if (!neuron() || size == 0) return 1;
  // The first row may be the last one of a group that began in an earlier call.
  const std::size_t others = config.max_batch - 1;
  return 1 + others / size + (others % size != 0 ? 1 : 0);
}

void Network::keep_all(Layer& layer) const {
  for (KeptUnits& units : layer.kept.units) units = {layer.width, layer.width, nullptr, nullptr};
}

// Groups end where rows, by the caller's count, are multiples of their size.
void Network::choose_groups(std::uint64_t first_row) {
  groups_.clear();
  const std::size_t size = neuron() ? config.dropout_group : 0;
  for (std::size_t r = 0; r < forward_rows;) {
    const std::size_t left = forward_rows - r;
    const std::size_t to_next = size == 0 ? left : size - (first_row + r) % size;
    const std::size_t rows = std::min(left, to_next);
    groups_.push_back({groups_.size(), r, rows});
    r += rows;
  }
}

void Network::keep_units(Layer& layer, const Group& group, const std::uint8_t* mask) {
  KeptOfLayer& kept = layer.kept;
  const std::size_t units = group.index * layer.width;
  const std::size_t bytes = mask_bytes(layer.width);
  std::uint8_t* bits = kept.bits.get() + group.index * (bytes + mask_slack);
  if (layer.forward_keep_prob == 0.0) {
    std::memset(bits, 0, bytes);
  } else {
    extract_bits(mask, units, layer.width, bits);
  }
  std::uint32_t* index = kept.index.get() + units;
  const std::size_t count = list_set_bits(bits, layer.width, index);
  kept.units[group.index] = {count, layer.width, index, bits};
  if (kept.bias == nullptr) return;  // of the input
  for (std::size_t i = 0; i < count; ++i) kept.bias[units + i] = layer.bias[index[i]];
}

// The masks of all groups, by the caller's thread: they say how large the products are.
void Network::choose_units(std::size_t l, std::uint64_t step, std::uint64_t first_row) {
  Layer& layer = layers[l];
  layer.forward_keep_prob = keep_prob(l);
  keep_all(layer);
  const bool injected = !layer.injected.empty();
  const bool all_kept = !injected && layer.forward_keep_prob == 1.0;
  if (all_kept && !config.record) return;
  const std::size_t bits = mask_size(l);
  if (injected && config.record) {
    extract_bits(layer.injected.data(), 0, bits, layer.mask.get());
  } else if (!injected) {
    const std::size_t size = config.dropout_group;
    const std::uint64_t first_group = size == 0 ? 0 : first_row / size;
    table_.bernoulli_mask(mask_source(l, step, first_group), bits, layer.mask.get());
  }
  if (all_kept) return;
  const std::uint8_t* mask = injected ? layer.injected.data() : layer.mask.get();
  for (const Group& group : groups_) keep_units(layer, group, mask);
}

KeptOfProduct<float> Network::kept_of(std::size_t l, const Group& group) const noexcept {
  const KeptUnits& outs = layers[l].kept.units[group.index];
  const KeptUnits& ins = layers[l - 1].kept.units[group.index];
  const bool drops_units = outs.index != nullptr || ins.index != nullptr;
  float* weights =
      drops_units && l > 1 ? layers[l].kept_weights(group, layers[l - 1].width) : nullptr;
  return {drops_units, outs, ins, {weights, kept_ld(ins.count)}};
}

// Ends with a barrier.
void Network::gather_input(const TeamMember& member, ConstMatrix x) const {
  const Layer& layer = layers[0];
  if (layer.kept.units[0].index == nullptr) return;
  for (const Group& group : groups_) {
    const Range rows = share_of(member, group.rows, 1, elements_per_thread / x.cols);
    if (rows.empty()) continue;
    const KeptUnits& kept = layer.kept.units[group.index];
    const std::size_t ld = kept_ld(kept.count);
    table_.compress_rows_f32(rows.end - rows.begin, kept, dropout_scale(layer.forward_keep_prob),
                             x.row(group.first + rows.begin), x.ld,
                             layer.a.get() + group.first * kept_ld(layer.width) + rows.begin * ld,
                             ld);
  }
  member.barrier();
}

void Network::record_forward(const TeamMember& member) const {
  if (!neuron() || !config.record) return;
  for (const Group& group : groups_) {
    const Range rows = share_of(member, group.rows, 1, 1);
    for (std::size_t l = 0; l < last(); ++l) {
      const Layer& layer = layers[l];
      const ConstMatrix a = activation(l, group);
      const KeptUnits& kept = layer.kept.units[group.index];
      const std::size_t at = group.first * layer.width;
      scatter(kept, rows, a.data, a.ld, layer.kept.a.get() + at);
      if (l > 0) scatter(kept, rows, layer.z.get() + at, a.ld, layer.kept.z.get() + at);
    }
  }
}

void Network::record_backward(const TeamMember& member) const {
  if (!neuron() || !config.record) return;
  for (const Group& group : groups_) {
    const Range rows = share_of(member, group.rows, 1, 1);
    for (std::size_t l = 1; l < last(); ++l) {
      const Layer& layer = layers[l];
      const KeptUnits& kept = layer.kept.units[group.index];
      const std::size_t at = group.first * layer.width;
      scatter(kept, rows, layer.da.get() + at, kept.count, layer.kept.da.get() + at);
      scatter(kept, rows, layer.dz.get() + at, kept.count, layer.kept.dz.get() + at);
    }
  }
}

}  // namespace simdrop::detail
