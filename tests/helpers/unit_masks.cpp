#include "helpers/unit_masks.h"

namespace fixture {

using simdrop::DropoutUnit;
using simdrop::Mlp;
using simdrop::MlpConfig;

namespace {

std::vector<bool> bits_of(std::span<const std::uint8_t> bits, std::size_t n) {
  std::vector<bool> out(n);
  for (std::size_t i = 0; i < n; ++i) out[i] = simdrop::mask_bit(bits, i);
  return out;
}

}  // namespace

UnitMasks random_unit_masks(const MlpConfig& config, double probability, std::uint32_t seed) {
  UnitMasks masks;
  for (std::size_t l = 0; l + 1 < config.widths.size(); ++l) {
    const std::size_t n = config.widths[l];
    masks.push_back(
        bits_of(random_bits(n, probability, 100 * seed + static_cast<std::uint32_t>(l)), n));
  }
  return masks;
}

UnitMasks keep_all_units(const MlpConfig& config) {
  return random_unit_masks(config, 1.0, 0);
}

void inject_units(Mlp& mlp, const UnitMasks& kept) {
  const MlpConfig& config = mlp.config();
  const std::size_t rows = config.dropout_unit == DropoutUnit::neuron ? 1 : config.max_batch;
  for (std::size_t l = 0; l < mlp.num_layers(); ++l) {
    const std::size_t width = config.widths[l];
    if (kept[l].empty()) {
      mlp.inject_mask(l, {});
      continue;
    }
    std::vector<std::uint8_t> bits(simdrop::mask_bytes(rows * width));
    for (std::size_t i = 0; i < rows * width; ++i) {
      if (kept[l][i % width]) bits[i / 8] = static_cast<std::uint8_t>(bits[i / 8] | 1U << (i % 8));
    }
    mlp.inject_mask(l, bits);
  }
}

UnitMasks drawn_unit_masks(const MlpConfig& config, std::uint64_t step) {
  UnitMasks masks;
  for (std::size_t l = 0; l + 1 < config.widths.size(); ++l) {
    const std::size_t n = config.widths[l];
    std::vector<std::uint8_t> bits(simdrop::mask_bytes(n));
    simdrop::bernoulli_mask(
        {.keep_prob = l == 0 ? config.input_keep_prob : config.keep_prob.at(l - 1),
         .stream = {config.seed, Mlp::mask_stream_id(l, step)}},
        n, bits);
    masks.push_back(bits_of(bits, n));
  }
  return masks;
}

UnitMasks recorded_unit_masks(const Mlp& mlp) {
  UnitMasks masks;
  for (std::size_t l = 0; l < mlp.num_layers(); ++l) {
    masks.push_back(bits_of(mlp.mask(l), mlp.config().widths[l]));
  }
  return masks;
}

reference::Masks in_every_row(const UnitMasks& kept, std::size_t rows) {
  reference::Masks masks;
  for (const auto& units : kept) {
    masks.emplace_back(rows * units.size());
    for (std::size_t i = 0; i < masks.back().size(); ++i) masks.back()[i] = units[i % units.size()];
  }
  return masks;
}

MlpConfig with_unit(MlpConfig config, DropoutUnit unit) {
  config.dropout_unit = unit;
  return config;
}

}  // namespace fixture
