// Vectors of a row of outputs, and sums over it; in the order of math.h, so every table gives the
// same bits.
#pragma once

#include <cstddef>

#include "kernels/isa/isa.h"
#include "kernels/loss/math.h"

namespace simdrop::detail {
namespace {

// Vectors that a step works on: as many as the registers hold, with the constants.
constexpr std::size_t loss_vectors = 4;

// Vectors of floats that make up the lanes of a sum.
constexpr std::size_t vectors_of_lanes = loss_lanes / lanes_f32;

inline VecF load_lanes(const float* p, std::size_t n, VecF fill) {
  return n == lanes_f32 ? load(p) : load_first(p, n, fill);
}
inline void store_lanes(float* p, std::size_t n, VecF v) {
  if (n == lanes_f32) {
    store(p, v);
  } else {
    store_first(p, v, n);
  }
}

// The two halves of a vector of floats, in double.
struct Widened {
  VecD low, high;
};
inline Widened widen(VecF v) {
  return {widen_low(v), widen_high(v)};
}
inline void store(double* p, const Widened& v) {
  store(p, v.low);
  store(p + lanes_f64, v.high);
}

// What fold_lanes makes of Count lanes, a power of two.
template <std::size_t Count>
inline double fold_all(const double* lanes) {
  if constexpr (Count == 1) {
    return lanes[0];
  } else {
    double folded[Count / 2];
    for (std::size_t i = 0; i < Count / 2; ++i) folded[i] = lanes[i] + lanes[i + Count / 2];
    return fold_all<Count / 2>(folded);
  }
}

// The lanes of a sum over a row of at most 16 columns (some vectors), or of any length.
template <std::size_t RowVectors>
struct RowSum {
  VecD lanes[2 * RowVectors];

  RowSum() {
    for (auto& lane : lanes) lane = VecD(0.0);
  }
  template <int K>
  void add(const Widened& v) {
    lanes[2 * K] = lanes[2 * K] + v.low;
    lanes[2 * K + 1] = lanes[2 * K + 1] + v.high;
  }
  // As fold_lanes does, down to one vector.
  VecD folded() {
    std::size_t count = 2 * RowVectors;
    for (std::size_t half = vectors_of_lanes; half > 0; half /= 2) {
      for (std::size_t i = 0; i + half < count; ++i) lanes[i] = lanes[i] + lanes[i + half];
      count = smaller(count, half);
    }
    return lanes[0];
  }
  double total() {
    double x[lanes_f64];
    store(x, folded());
    return fold_all<lanes_f64>(x);
  }
};

// Calls fn.template operator()<K>(column, n) for each vector of a row, of which n lanes are in it;
// it is vector K of its 16 columns.
template <class Fn>
inline void for_row_vectors(std::size_t cols, Fn fn) {
  std::size_t c = 0;
  for (; c + loss_lanes <= cols; c += loss_lanes) {
    unrolled<vectors_of_lanes>(
        [&]<int K>() { fn.template operator()<K>(c + K * lanes_f32, lanes_f32); });
  }
  if (c == cols) return;
  unrolled<vectors_of_lanes>([&]<int K>() {
    const std::size_t at = c + K * lanes_f32;
    if (at < cols) fn.template operator()<K>(at, smaller(cols - at, lanes_f32));
  });
}

}  // namespace
}  // namespace simdrop::detail
