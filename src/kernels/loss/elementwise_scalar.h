// Outputs that do not see each other, sigmoid and identity, in plain C++.
#pragma once

#include <cstddef>

#include "kernels/isa/isa.h"
#include "kernels/kernel_table.h"
#include "kernels/loss/math.h"
#include "kernels/loss/row_sums_scalar.h"

namespace simdrop::detail {
namespace {

// fn(z, y, a, dz) returns the loss of an output.
template <class Fn>
inline void elementwise_loss(const OutputRows& out, const float* y, std::size_t ld_y, Fn fn) {
  for (std::size_t r = 0; r < out.rows; ++r) {
    const std::size_t at = r * out.ld;
    double lanes[loss_lanes];
    for_column_sets(out.cols, [&](std::size_t c, std::size_t n) {
      for (std::size_t i = 0; i < n; ++i) {
        const std::size_t k = at + c + i;
        const double loss = fn(out.z[k], y[r * ld_y + c + i], out.a[k], out.dz[k]);
        lanes[i] = c == 0 ? loss : lanes[i] + loss;
      }
    });
    out.losses[r] = fold_lanes(lanes, smaller(out.cols, loss_lanes));
  }
}

inline void sigmoid_bce_f32(const OutputRows& out, const float* y, std::size_t ld_y) {
  add_output_bias(out);
  if (y == nullptr) {
    for (std::size_t r = 0; r < out.rows; ++r) {
      const float* z = out.z + r * out.ld;
      float* a = out.a + r * out.ld;
      for (std::size_t c = 0; c < out.cols; ++c) a[c] = sigmoid(z[c]).a;
    }
    return;
  }
  elementwise_loss(out, y, ld_y, [](float z, float target, float& a, float& dz) {
    const Sigmoid<float> s = sigmoid(z);
    a = s.a;
    dz = s.a - target;
    return static_cast<double>(cross_entropy(z, s.exponential, target));
  });
}

inline void identity_mse_f32(const OutputRows& out, const float* y, std::size_t ld_y) {
  add_output_bias(out);
  if (y == nullptr) {
    for (std::size_t r = 0; r < out.rows; ++r) {
      for (std::size_t c = 0; c < out.cols; ++c) out.a[r * out.ld + c] = out.z[r * out.ld + c];
    }
    return;
  }
  const double factor = 2.0 / static_cast<double>(out.cols);
  elementwise_loss(out, y, ld_y, [=](float z, float target, float& a, float& dz) {
    const double error = static_cast<double>(z) - static_cast<double>(target);
    a = z;
    dz = static_cast<float>(error * factor);
    return error * error;
  });
  for (std::size_t r = 0; r < out.rows; ++r) out.losses[r] /= static_cast<double>(out.cols);
}

}  // namespace
}  // namespace simdrop::detail
