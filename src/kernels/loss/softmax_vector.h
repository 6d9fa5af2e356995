// Softmax and cross-entropy.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/isa/isa.h"
#include "kernels/kernel_table.h"
#include "kernels/loss/lockstep_vector.h"
#include "kernels/loss/math.h"
#include "kernels/loss/row_sums_vector.h"

namespace simdrop::detail {
namespace {

inline VecF minus_infinity() {
  return VecF(-__builtin_inff());
}

// z[label] with its bias, which is not in memory yet.
inline double label_logit(const OutputRows& out, const float* z, std::size_t label) {
  return static_cast<double>(out.bias == nullptr ? z[label] : z[label] + out.bias[label]);
}

// Rows of at most 16 outputs, RowVectors vectors each. A row is a chain of several hundred cycles,
// so rows go through its stages several at a time.
template <std::size_t RowVectors>
struct ShortRows {
  static constexpr std::size_t rows_at_once = 16;
  static constexpr std::size_t in_step = RowVectors < loss_vectors ? loss_vectors / RowVectors : 1;
  static constexpr std::size_t width = RowVectors * lanes_f32;

  const OutputRows& out;
  const std::uint8_t* labels;
  std::size_t tail;  // lanes of the last vector
  VecF bias[RowVectors];
  float terms[rows_at_once * width];
  double sums[rows_at_once * lanes_f64];
  double margins[rows_at_once] = {};  // maximum - z[label]
  float inverses[rows_at_once];

  ShortRows(const OutputRows& rows, const std::uint8_t* of_rows)
      : out(rows), labels(of_rows), tail(rows.cols - (RowVectors - 1) * lanes_f32) {
    unrolled<RowVectors>([&]<int K>() {
      bias[K] = out.bias == nullptr ? VecF(0.0F) : load_row_vector<K>(out.bias, VecF(0.0F));
    });
  }

  template <int K>
  VecF load_row_vector(const float* p, VecF fill) const {
    if constexpr (K + 1 < RowVectors) {
      return load(p + K * lanes_f32);
    } else {
      return load_first(p + K * lanes_f32, tail, fill);
    }
  }
  template <int K>
  void store_row_vector(float* p, VecF v) const {
    if constexpr (K + 1 < RowVectors) {
      store(p + K * lanes_f32, v);
    } else {
      store_first(p + K * lanes_f32, v, tail);
    }
  }

  // Biased logits of row r, vectors First and so on of v. Returns the largest.
  template <std::size_t First, std::size_t N>
  [[gnu::always_inline]] float load_row(std::size_t r, std::size_t i, Vectors<N>& v) {
    float* z = out.z + r * out.ld;
    if (labels != nullptr) margins[i] = label_logit(out, z, labels[r]);
    VecF largest = minus_infinity();
    unrolled<RowVectors>([&]<int K>() {
      VecF part = this->template load_row_vector<K>(z, minus_infinity());
      if (out.bias != nullptr) {
        part = part + bias[K];
        this->template store_row_vector<K>(z, part);
      }
      v.template get<First + K>() = part;
      largest = xsimd::max(largest, part);
    });
    return max_of_lanes(largest);
  }

  // Terms, their sums as far as whole vectors go, and margins of N rows from row r on, which are
  // rows i and so on of those at once.
  template <std::size_t N>
  void add_up(std::size_t r, std::size_t i) {
    Vectors<N * RowVectors> v;
    Vectors<N * RowVectors> maxima;
    unrolled<N>([&]<int J>() {
      const float maximum = this->template load_row<J * RowVectors>(r + J, i + J, v);
      margins[i + J] = static_cast<double>(maximum) - margins[i + J];
      unrolled<RowVectors>(
          [&]<int K>() { maxima.template get<J * RowVectors + K>() = VecF(maximum); });
    });
    v = softmax_term(v, maxima);
    unrolled<N>([&]<int J>() {
      RowSum<RowVectors> sum;
      unrolled<RowVectors>([&]<int K>() {
        const VecF term = v.template get<J * RowVectors + K>();
        store(terms + (i + J) * width + K * lanes_f32, term);
        sum.template add<K>(widen(term));
      });
      store(sums + (i + J) * lanes_f64, sum.folded());
    });
  }

  void finish_sums(std::size_t r, std::size_t n) {
    double totals[rows_at_once];
    for (std::size_t i = 0; i < n; ++i) {
      totals[i] = fold_all<lanes_f64>(sums + i * lanes_f64);
      inverses[i] = static_cast<float>(1.0 / totals[i]);
    }
    if (labels == nullptr) return;
    for (std::size_t i = 0; i < n; ++i) out.losses[r + i] = log_of_sum(totals[i]) + margins[i];
  }

  void divide_row(std::size_t r, std::size_t i) const {
    const std::size_t at = r * out.ld;
    constexpr float columns[loss_lanes] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    const VecF label(labels == nullptr ? 0.0F : static_cast<float>(labels[r]));
    unrolled<RowVectors>([&]<int K>() {
      const VecF a = load(terms + i * width + K * lanes_f32) * VecF(inverses[i]);
      this->template store_row_vector<K>(out.a + at, a);
      if (labels == nullptr) return;
      const auto is_label = load(columns + K * lanes_f32) == label;
      this->template store_row_vector<K>(out.dz + at, where(is_label, a - VecF(1.0F), a));
    });
  }

  void run() {
    for (std::size_t r = 0; r < out.rows; r += rows_at_once) {
      const std::size_t n = smaller(rows_at_once, out.rows - r);
      std::size_t i = 0;
      for (; i + in_step <= n; i += in_step) add_up<in_step>(r + i, i);
      for (; i < n; ++i) add_up<1>(r + i, i);
      finish_sums(r, n);
      for (i = 0; i < n; ++i) divide_row(r + i, i);
    }
  }
};

template <std::size_t RowVectors = 1>
void softmax_short(const OutputRows& out, const std::uint8_t* labels) {
  if constexpr (RowVectors < vectors_of_lanes) {
    if (out.cols > RowVectors * lanes_f32) {
      softmax_short<RowVectors + 1>(out, labels);
      return;
    }
  }
  ShortRows<RowVectors>(out, labels).run();
}

inline float biased_maximum(const OutputRows& out, float* z) {
  VecF largest = minus_infinity();
  for_row_vectors(out.cols, [&]<int K>(std::size_t c, std::size_t n) {
    VecF v = load_lanes(z + c, n, minus_infinity());
    if (out.bias != nullptr) {
      v = v + load_lanes(out.bias + c, n, VecF(0.0F));
      store_lanes(z + c, n, v);
    }
    largest = xsimd::max(largest, v);
  });
  return max_of_lanes(largest);
}

inline void softmax_long_row(const OutputRows& out, std::size_t at, const std::uint8_t* label,
                             double* loss) {
  const float* z = out.z + at;
  float* a = out.a + at;
  const float maximum = biased_maximum(out, out.z + at);
  const double margin =
      label == nullptr ? 0.0 : static_cast<double>(maximum) - static_cast<double>(z[*label]);
  RowSum<vectors_of_lanes> sum;
  for_row_vectors(out.cols, [&]<int K>(std::size_t c, std::size_t n) {
    const VecF v = softmax_term(load_lanes(z + c, n, minus_infinity()), VecF(maximum));
    store_lanes(a + c, n, v);
    sum.template add<K>(widen(v));
  });
  const double total = sum.total();
  const VecF inverse(static_cast<float>(1.0 / total));
  for_row_vectors(out.cols, [&]<int K>(std::size_t c, std::size_t n) {
    const VecF v = load_lanes(a + c, n, VecF(0.0F)) * inverse;
    store_lanes(a + c, n, v);
    if (label != nullptr) store_lanes(out.dz + at + c, n, v);
  });
  if (label == nullptr) return;
  *loss = log_of_sum(total) + margin;
  out.dz[at + *label] -= 1.0F;
}

inline void softmax_ce_f32(const OutputRows& out, const std::uint8_t* labels) {
  if (out.cols <= loss_lanes) {
    softmax_short(out, labels);
    return;
  }
  for (std::size_t r = 0; r < out.rows; ++r) {
    softmax_long_row(out, r * out.ld, labels == nullptr ? nullptr : labels + r,
                     labels == nullptr ? nullptr : out.losses + r);
  }
}

}  // namespace
}  // namespace simdrop::detail
