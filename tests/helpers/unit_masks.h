// Masks of whole units, one for all rows of a batch, for networks of either DropoutUnit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "helpers/mlp_fixtures.h"

namespace fixture {

/// Kept or not, unit u of layer l at [l][u], l = 0 (the input) ... layers - 1. A layer without any
/// has no mask injected.
using UnitMasks = std::vector<std::vector<bool>>;

UnitMasks random_unit_masks(const simdrop::MlpConfig& config, double probability,
                            std::uint32_t seed);
UnitMasks keep_all_units(const simdrop::MlpConfig& config);

/// One bit a unit, or with DropoutUnit::element as many times as there may be rows.
void inject_units(simdrop::Mlp& mlp, const UnitMasks& kept);

/// The bits of the documented stream of the masks of step `step`, for each layer.
UnitMasks drawn_unit_masks(const simdrop::MlpConfig& config, std::uint64_t step);
/// Those that mlp.mask() tells. Needs config.record and DropoutUnit::neuron.
UnitMasks recorded_unit_masks(const simdrop::Mlp& mlp);

/// For the oracle: the same units in every row.
reference::Masks in_every_row(const UnitMasks& kept, std::size_t rows);

/// The network that drops `unit`s.
simdrop::MlpConfig with_unit(simdrop::MlpConfig config, simdrop::DropoutUnit unit);

}  // namespace fixture
