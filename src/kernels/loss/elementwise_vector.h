// Outputs that do not see each other: sigmoid and identity.
#pragma once

#include <cstddef>

#include "kernels/isa/isa.h"
#include "kernels/kernel_table.h"
#include "kernels/loss/lockstep_vector.h"
#include "kernels/loss/math.h"
#include "kernels/loss/row_sums_vector.h"

namespace simdrop::detail {
namespace {

// fn(z, y, a, dz) of one vector returns its losses; those of z = padding, y = 0 are 0.
struct SigmoidBce {
  static constexpr float padding = -1000.0F;
  static VecF activation(VecF z) { return sigmoid(z).a; }
  Widened operator()(VecF z, VecF y, VecF& a, VecF& dz) const {
    const Sigmoid<VecF> s = sigmoid(z);
    a = s.a;
    dz = s.a - y;
    return widen(cross_entropy(z, s.exponential, y));
  }
};

struct IdentityMse {
  static constexpr float padding = 0.0F;
  VecD factor;  // 2 / outputs
  static VecF activation(VecF z) { return z; }
  Widened operator()(VecF z, VecF y, VecF& a, VecF& dz) const {
    const VecD low = widen_low(z) - widen_low(y);
    const VecD high = widen_high(z) - widen_high(y);
    a = z;
    dz = narrow_f64(low * factor, high * factor);
    return {low * low, high * high};
  }
};

// n outputs from element `at` on, with their bias; where there is none, nothing of it is read.
template <class Fn>
inline VecF biased_vector(const OutputRows& out, std::size_t at, std::size_t n, const float* bias) {
  VecF z = load_lanes(out.z + at, n, VecF(Fn::padding));
  if (out.bias == nullptr) return z;
  z = z + load_lanes(bias, n, VecF(0.0F));
  store_lanes(out.z + at, n, z);
  return z;
}

// The bias from column c on, if there is one.
inline const float* bias_from(const OutputRows& out, std::size_t c) {
  return out.bias == nullptr ? nullptr : out.bias + c;
}

template <class Fn>
inline void activate_vector(const OutputRows& out, std::size_t at, std::size_t n,
                            const float* bias) {
  store_lanes(out.a + at, n, Fn::activation(biased_vector<Fn>(out, at, n, bias)));
}

template <class Fn>
inline Widened loss_vector(const OutputRows& out, std::size_t at, std::size_t n, const float* bias,
                           const float* y, const Fn& fn) {
  const VecF z = biased_vector<Fn>(out, at, n, bias);
  VecF a;
  VecF dz;
  const Widened losses = fn(z, load_lanes(y, n, VecF(0.0F)), a, dz);
  store_lanes(out.a + at, n, a);
  store_lanes(out.dz + at, n, dz);
  return losses;
}

// Rows of at most 16 outputs that lie next to each other are one array, of which a vector may hold
// parts of several rows. The bias is repeated, so that it can be read from any column on.
struct PackedRows {
  const OutputRows& out;
  float bias[loss_lanes + lanes_f32];

  explicit PackedRows(const OutputRows& rows) : out(rows) {
    if (out.bias == nullptr) return;
    for (std::size_t i = 0; i < out.cols + lanes_f32; ++i) {
      bias[i] = i < out.cols ? out.bias[i] : bias[i - out.cols];
    }
  }

  // Calls fn(element, n, bias of the element) for each vector of `count` elements from row `row`.
  template <class Fn>
  void for_vectors(std::size_t row, std::size_t count, Fn fn) const {
    const std::size_t first = row * out.cols;
    const std::size_t step = lanes_f32 % out.cols;
    std::size_t col = 0;
    std::size_t i = 0;
    for (; i + lanes_f32 <= count; i += lanes_f32) {
      fn(first + i, lanes_f32, bias + col);
      col += step;
      if (col >= out.cols) col -= out.cols;
    }
    if (i < count) fn(first + i, count - i, bias + col);
  }
};

template <class Fn>
void packed_losses(const OutputRows& out, const float* y, std::size_t ld_y, const Fn& fn) {
  const PackedRows rows(out);
  const std::size_t rows_at_once = outputs_at_once / out.cols;
  float targets[outputs_at_once];
  double losses[outputs_at_once + lanes_f32];
  for (std::size_t row = 0; row < out.rows; row += rows_at_once) {
    const std::size_t n = smaller(rows_at_once, out.rows - row);
    const std::size_t first = row * out.cols;
    const float* target = y + row * ld_y;
    if (ld_y != out.cols) {
      for (std::size_t i = 0; i < n * out.cols; ++i) {
        targets[i] = target[i / out.cols * ld_y + i % out.cols];
      }
      target = targets;
    }
    rows.for_vectors(row, n * out.cols, [&](std::size_t at, std::size_t lanes, const float* bias) {
      store(losses + (at - first), loss_vector(out, at, lanes, bias, target + (at - first), fn));
    });
    if (out.cols == 1) {
      __builtin_memcpy(out.losses + row, losses, n * sizeof(double));
      continue;
    }
    for (std::size_t r = 0; r < n; ++r) {
      out.losses[row + r] = fold_lanes(losses + r * out.cols, out.cols);
    }
  }
}

template <class Fn>
void activate_rows(const OutputRows& out) {
  if (out.ld == out.cols && out.cols <= loss_lanes) {
    PackedRows(out).for_vectors(0, out.rows * out.cols,
                                [&](std::size_t at, std::size_t n, const float* bias) {
                                  activate_vector<Fn>(out, at, n, bias);
                                });
    return;
  }
  for (std::size_t r = 0; r < out.rows; ++r) {
    for_row_vectors(out.cols, [&]<int K>(std::size_t c, std::size_t n) {
      activate_vector<Fn>(out, r * out.ld + c, n, bias_from(out, c));
    });
  }
}

template <class Fn>
void output_loss(const OutputRows& out, const float* y, std::size_t ld_y, const Fn& fn) {
  if (y == nullptr) {
    activate_rows<Fn>(out);
    return;
  }
  if (out.ld == out.cols && out.cols <= loss_lanes) {
    packed_losses(out, y, ld_y, fn);
    return;
  }
  for (std::size_t r = 0; r < out.rows; ++r) {
    RowSum<vectors_of_lanes> sum;
    for_row_vectors(out.cols, [&]<int K>(std::size_t c, std::size_t n) {
      sum.template add<K>(
          loss_vector(out, r * out.ld + c, n, bias_from(out, c), y + r * ld_y + c, fn));
    });
    out.losses[r] = sum.total();
  }
}

inline void sigmoid_bce_f32(const OutputRows& out, const float* y, std::size_t ld_y) {
  output_loss(out, y, ld_y, SigmoidBce{});
}

inline void identity_mse_f32(const OutputRows& out, const float* y, std::size_t ld_y) {
  const auto n = static_cast<double>(out.cols);
  output_loss(out, y, ld_y, IdentityMse{VecD(2.0 / n)});
  if (y == nullptr || out.cols == 1) return;
  for (std::size_t r = 0; r < out.rows; ++r) out.losses[r] /= n;
}

}  // namespace
}  // namespace simdrop::detail
