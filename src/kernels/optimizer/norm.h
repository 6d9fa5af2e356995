// The max-norm constraint on rows of weights.
#pragma once

#include <cstddef>

#include "kernels/isa/isa.h"

namespace simdrop::detail {
namespace {

// The norm of a row is taken in double, where the square of a float is exact and no sum overflows.
// Column j of the whole blocks of 32 goes to sum j % 32, the sums into a tree, then the columns
// that are left follow: so the width of a vector does not matter, nor does FMA. Each square passes
// through at most columns / 32 + 36 additions.
constexpr std::size_t norm_sums = 32;

// The tree over the first `count` sums, whose upper part has been folded into them.
inline double fold_sums(double* sums, std::size_t count) {
  for (std::size_t half = count / 2; half > 0; half /= 2) {
    for (std::size_t j = 0; j < half; ++j) sums[j] += sums[j + half];
  }
  return sums[0];
}

inline double norm_of(double sum, std::size_t begin, std::size_t end, const float* x) {
  for (std::size_t j = begin; j < end; ++j) {
    const auto value = static_cast<double>(x[j]);
    sum += value * value;
  }
  return __builtin_sqrt(sum);
}

// What to multiply a row by, in double; 0 if it stays as it is. So does one with an Inf, where the
// quotient is 0, and one with a NaN, which is above nothing.
inline double norm_factor(double norm, double max_norm) {
  return norm > max_norm ? max_norm / norm : 0.0;
}

inline void scale_in_double(double factor, std::size_t begin, std::size_t end, float* x) {
  for (std::size_t j = begin; j < end; ++j) {
    x[j] = static_cast<float>(static_cast<double>(x[j]) * factor);
  }
}

inline double row_norm(std::size_t n, const float* row) {
  constexpr std::size_t vectors = norm_sums / lanes_f64;
  VecD sums[vectors];
#pragma GCC unroll 16
  for (std::size_t k = 0; k < vectors; ++k) sums[k] = VecD(0.0);
  std::size_t j = 0;
  for (; j + norm_sums <= n; j += norm_sums) {
#pragma GCC unroll 16
    for (std::size_t k = 0; k < vectors; ++k) {
      const VecD x = load_double(row + j + k * lanes_f64);
      sums[k] = mul_add(x, x, sums[k]);
    }
  }
#pragma GCC unroll 4
  for (std::size_t half = vectors / 2; half > 0; half /= 2) {
#pragma GCC unroll 8
    for (std::size_t k = 0; k < half; ++k) sums[k] = sums[k] + sums[k + half];
  }
  double lanes[lanes_f64];
  store(lanes, sums[0]);
  return norm_of(fold_sums(lanes, lanes_f64), j, n, row);
}

inline void scale_row(double factor, std::size_t n, float* row) {
  const VecD by(factor);
  std::size_t j = 0;
  for (; j + lanes_f64 <= n; j += lanes_f64) store_float(row + j, load_double(row + j) * by);
  scale_in_double(factor, j, n, row);
}

inline void limit_norm(double max_norm, std::size_t n, float* row) {
  const double factor = norm_factor(row_norm(n, row), max_norm);
  if (factor != 0.0) scale_row(factor, n, row);
}

inline void limit_norms_f32(double max_norm, std::size_t rows, std::size_t cols, float* weights) {
  for (std::size_t r = 0; r < rows; ++r) limit_norm(max_norm, cols, weights + r * cols);
}

}  // namespace
}  // namespace simdrop::detail
