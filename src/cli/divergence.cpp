#include "cli/divergence.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "io/checkpoint.h"

namespace simdrop::cli {
namespace {

std::optional<float> first_not_finite(ConstMatrix values) {
  for (std::size_t r = 0; r < values.rows; ++r) {
    const std::span<const float> row(values.row(r), values.cols);
    if (all_finite(row)) continue;
    return *std::ranges::find_if(row, [](float value) { return !std::isfinite(value); });
  }
  return {};
}

}  // namespace

// By their bits and without a way out, so that compilers use vectors.
bool all_finite(std::span<const float> values) {
  constexpr std::uint32_t exponent = 0x7F800000U;
  std::uint32_t bad = 0;
  for (const float value : values) {
    bad |= (std::bit_cast<std::uint32_t>(value) & exponent) == exponent ? 1U : 0U;
  }
  return bad == 0;
}

std::string not_finite_text(double value) {
  if (std::isnan(value)) return "nan";
  return value < 0.0 ? "-inf" : "inf";
}

std::string find_not_finite(const Mlp& network, const Optimizer& optimizer) {
  // Weights and bias of each layer in turn; then the state, in the same order.
  const std::size_t parameters = 2 * network.num_layers();
  const std::vector<detail::TensorData> tensors = detail::saved_tensors(network, &optimizer);
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const std::optional<float> value = first_not_finite(tensors[i].values);
    if (!value) continue;
    return (i < parameters ? "a " : "the optimiser's state of a ") +
           std::string(i % 2 == 0 ? "weight" : "bias") + " of layer " +
           std::to_string(i % parameters / 2 + 1) + " is " +
           not_finite_text(static_cast<double>(*value));
  }
  return "";
}

}  // namespace simdrop::cli
