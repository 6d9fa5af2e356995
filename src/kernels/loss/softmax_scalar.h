// Softmax and cross-entropy in plain C++.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/isa/isa.h"
#include "kernels/kernel_table.h"
#include "kernels/loss/math.h"
#include "kernels/loss/row_sums_scalar.h"

namespace simdrop::detail {
namespace {

inline void softmax_row(const OutputRows& out, std::size_t at, const std::uint8_t* label,
                        double* loss) {
  const float* z = out.z + at;
  float* a = out.a + at;
  float maximum = z[0];
  for (std::size_t c = 1; c < out.cols; ++c) maximum = z[c] > maximum ? z[c] : maximum;
  const double margin =
      label == nullptr ? 0.0 : static_cast<double>(maximum) - static_cast<double>(z[*label]);
  double lanes[loss_lanes] = {};
  for_column_sets(out.cols, [&](std::size_t c, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) {
      a[c + i] = softmax_term(z[c + i], maximum);
      lanes[i] += static_cast<double>(a[c + i]);
    }
  });
  const double total = fold_lanes(lanes, smaller(out.cols, loss_lanes));
  const auto inverse = static_cast<float>(1.0 / total);
  for (std::size_t c = 0; c < out.cols; ++c) a[c] *= inverse;
  if (label == nullptr) return;
  *loss = log_of_sum(total) + margin;
  for (std::size_t c = 0; c < out.cols; ++c) out.dz[at + c] = a[c];
  out.dz[at + *label] -= 1.0F;
}

inline void softmax_ce_f32(const OutputRows& out, const std::uint8_t* labels) {
  add_output_bias(out);
  for (std::size_t r = 0; r < out.rows; ++r) {
    softmax_row(out, r * out.ld, labels == nullptr ? nullptr : labels + r,
                labels == nullptr ? nullptr : out.losses + r);
  }
}

}  // namespace
}  // namespace simdrop::detail
