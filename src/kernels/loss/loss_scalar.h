// Output activations, losses and gradients in plain C++. Included inside an anonymous namespace.

inline float where(bool condition, float a, float b) {
  return condition ? a : b;
}
inline float divide(float a, float b) {
  return a / b;
}
inline float power_of_two(float t) {
  std::uint32_t bits = 0;
  std::memcpy(&bits, &t, sizeof bits);
  bits <<= 23;
  std::memcpy(&t, &bits, sizeof bits);
  return t;
}

#include "kernels/loss/math.h"

// Calls fn(column, n) for the columns of a row, 16 at a time.
template <class Fn>
void for_column_groups(std::size_t cols, Fn fn) {
  for (std::size_t c = 0; c < cols; c += loss_lanes) fn(c, smaller(cols - c, loss_lanes));
}

void add_output_bias(const OutputRows& out) {
  if (out.bias != nullptr) add_bias_f32(out.rows, out.cols, out.bias, out.z, out.ld);
}

void softmax_row(const OutputRows& out, std::size_t at, const std::uint8_t* label, double* loss) {
  const float* z = out.z + at;
  float* a = out.a + at;
  float maximum = z[0];
  for (std::size_t c = 1; c < out.cols; ++c) maximum = z[c] > maximum ? z[c] : maximum;
  const double margin =
      label == nullptr ? 0.0 : static_cast<double>(maximum) - static_cast<double>(z[*label]);
  double lanes[loss_lanes] = {};
  for_column_groups(out.cols, [&](std::size_t c, std::size_t n) {
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

void softmax_ce_f32(const OutputRows& out, const std::uint8_t* labels) {
  add_output_bias(out);
  for (std::size_t r = 0; r < out.rows; ++r) {
    softmax_row(out, r * out.ld, labels == nullptr ? nullptr : labels + r,
                labels == nullptr ? nullptr : out.losses + r);
  }
}

// fn(z, y, a, dz) returns the loss of an output.
template <class Fn>
void elementwise_loss(const OutputRows& out, const float* y, std::size_t ld_y, Fn fn) {
  for (std::size_t r = 0; r < out.rows; ++r) {
    const std::size_t at = r * out.ld;
    double lanes[loss_lanes];
    for_column_groups(out.cols, [&](std::size_t c, std::size_t n) {
      for (std::size_t i = 0; i < n; ++i) {
        const std::size_t k = at + c + i;
        const double loss = fn(out.z[k], y[r * ld_y + c + i], out.a[k], out.dz[k]);
        lanes[i] = c == 0 ? loss : lanes[i] + loss;
      }
    });
    out.losses[r] = fold_lanes(lanes, smaller(out.cols, loss_lanes));
  }
}

void sigmoid_bce_f32(const OutputRows& out, const float* y, std::size_t ld_y) {
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

void identity_mse_f32(const OutputRows& out, const float* y, std::size_t ld_y) {
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
