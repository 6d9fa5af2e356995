// Elements of the linear layer against the oracle.
#pragma once

#include <cmath>
#include <cstddef>
#include <limits>

#include "helpers/element.h"
#include "reference/linear_reference.h"
#include "simdrop/linear.hpp"

namespace test {

using simdrop::MatrixView;

// Roundings that a term of a sum over k passes through: its product, at most k - 1 additions in
// whatever order, the bias or what is accumulated to, 1 / keep_prob and the product with it (or
// with alpha).
constexpr std::size_t linear_roundings(std::size_t k) {
  return k + 3;
}

// Higham's gamma(n), ASNA section 3.1, of T and of the oracle's own arithmetic.
template <class T>
Textbook<T> linear_gamma(std::size_t n) {
  using W = Textbook<T>;
  const auto gamma = [n](W epsilon) {
    const W nu = static_cast<W>(n) * epsilon / 2;
    return nu / (1 - nu);
  };
  return gamma(static_cast<W>(std::numeric_limits<T>::epsilon())) +
         gamma(std::numeric_limits<W>::epsilon());
}

// NaN is never within.
template <class T>
bool within(T got, const reference::LinearSum<Textbook<T>>& want, Textbook<T> gamma) {
  return std::fabs(static_cast<Textbook<T>>(got) - want.value) <= gamma * want.magnitude;
}

template <class T>
bool is_plus_zero(T value) {
  return value == T{0} && !std::signbit(value);
}

// The rows, or the columns, of a matrix as what the oracle sums over.
template <class T>
reference::LinearOperand<T> by_rows(MatrixView<const T> m) {
  return {m.data, m.ld, 1};
}
template <class T>
reference::LinearOperand<T> by_columns(MatrixView<const T> m) {
  return {m.data, 1, m.ld};
}

}  // namespace test
