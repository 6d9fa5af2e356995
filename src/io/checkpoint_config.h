// The configuration of a network and its optimizer as JSON text in a file's metadata.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "simdrop/mlp.hpp"
#include "simdrop/optimizer.hpp"

namespace simdrop::detail {

// Doubles and 64-bit integers come back as they were.
std::string config_text(const MlpConfig& network, const Optimizer* optimizer);

struct SavedConfig {
  MlpConfig network;
  std::optional<OptimizerConfig> optimizer;
  std::uint64_t step_count = 0;
};

// Fields that text does not have are those of `network`. Throws JsonError if text is not what
// config_text() writes; ranges are not checked.
SavedConfig parse_config(std::string_view text, const MlpConfig& network);

}  // namespace simdrop::detail
