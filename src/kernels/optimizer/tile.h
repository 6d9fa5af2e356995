// The updates of a tile of weights from sums that become gradients by a factor, as the products
// leave them.
#pragma once

#include <cstddef>

#include "kernels/isa/isa.h"
#include "kernels/optimizer/update.h"
#include "kernels/optimizer_arguments.h"

namespace simdrop::detail {
namespace {

// rows x cols sums, and the leading dimension of the weights.
struct SumTile {
  std::size_t rows, cols;
  float* sums;
  std::size_t ld_sums;
  float factor;
  std::size_t ld;
};

// The sums of the tails are overwritten.
template <class Update>
inline void update_tile(const Update& update, const SumTile& tile) {
  const VecF factors(tile.factor);
  for (std::size_t r = 0; r < tile.rows; ++r) {
    float* sums = tile.sums + r * tile.ld_sums;
    const std::size_t at = r * tile.ld;
    std::size_t i = 0;
    for (; i + lanes_f32 <= tile.cols; i += lanes_f32) {
      update.vector(at + i, factors * load(sums + i));
    }
    if (i == tile.cols) continue;
    for (std::size_t j = i; j < tile.cols; ++j) sums[j] *= tile.factor;
    update.elements(at + i, tile.cols - i, sums + i);
  }
}
inline void sgd_tile(const SgdParams& params, const SumTile& tile, float* weights,
                     float* momentum) {
  with_sgd_update(params, weights, momentum,
                  [&](const auto& update) { update_tile(update, tile); });
}
inline void adam_tile(const AdamParams& params, const SumTile& tile, float* weights, float* first,
                      float* second) {
  with_adam_update(params, weights, first, second,
                   [&](const auto& update) { update_tile(update, tile); });
}

}  // namespace
}  // namespace simdrop::detail
