// All results of a LinearProblem against the oracle.
#pragma once

#include <doctest/doctest.h>

#include <cstddef>

#include "helpers/linear_compare.h"
#include "helpers/linear_problem.h"
#include "helpers/public_mask.h"

namespace test {

// Elements of `m` that are not right(r, c, value), and padding that was written to. Looks at one
// element in `stride`.
template <class T, class Right>
std::size_t count_wrong(const simdrop::MatrixView<T>& m, T padding, std::size_t stride,
                        Right right) {
  std::size_t wrong = 0;
  for (std::size_t r = 0; r < m.rows && m.cols > 0; ++r) {
    for (std::size_t c = r % stride; c < m.cols; c += stride) {
      wrong += right(r, c, m(r, c)) ? 0 : 1;
    }
    for (std::size_t c = m.cols; c < m.ld && r + 1 < m.rows; ++c) {
      wrong += m(r, c) == padding ? 0 : 1;
    }
  }
  return wrong;
}

template <class T>
void check_forward(const LinearCase& c, const LinearProblem<T>& p, std::size_t stride = 1) {
  using W = Textbook<T>;
  const auto bits = api_mask(c.dropout, c.batch * c.out);
  const auto a = by_rows<T>(p.x);
  const auto b = by_rows<T>(p.weights);
  const W gamma = linear_gamma<T>(linear_roundings(c.in));
  const bool relu = c.activation == simdrop::Activation::relu;
  const auto right = [&](std::size_t r, std::size_t col, T value) {
    if (!simdrop::mask_bit(bits, r * c.out + col)) return is_plus_zero(value);
    const auto product = reference::inner_product<W>(a, b, r, col, c.in);
    const W bias = p.bias.empty() ? W{0} : static_cast<W>(p.bias[col]);
    const auto want = reference::linear_forward(product, bias, relu, c.dropout.keep_prob);
    return within(value, want, gamma) && !(relu && std::signbit(value));
  };
  CHECK(count_wrong(p.y, p.out_padding, stride, right) == 0);
  if (c.mask) CHECK(std::ranges::equal(p.mask, bits));
}

template <class T>
void check_backward_input(const LinearCase& c, const LinearProblem<T>& p, std::size_t stride = 1) {
  using W = Textbook<T>;
  const auto a = by_rows<T>(p.dy);
  const auto b = by_columns<T>(p.weights);
  const W gamma = linear_gamma<T>(linear_roundings(c.out));
  const auto right = [&](std::size_t r, std::size_t col, T value) {
    if (c.stored && !(p.stored(r, col) > T{0})) return is_plus_zero(value);
    const auto product = reference::inner_product<W>(a, b, r, col, c.out);
    const double keep_prob = c.stored ? c.dropout.keep_prob : 1.0;
    return within(value, reference::linear_backward_input(product, keep_prob), gamma);
  };
  CHECK(count_wrong(p.dx, p.out_padding, stride, right) == 0);
}

template <class T>
void check_backward_weights(const LinearCase& c, const LinearProblem<T>& p,
                            std::size_t stride = 1) {
  using W = Textbook<T>;
  const T one{1};
  const auto a = by_columns<T>(p.dy);
  const auto b = by_columns<T>(p.x);
  const reference::LinearOperand<T> ones{&one, 0, 0};
  const W gamma = linear_gamma<T>(linear_roundings(c.batch));
  const W alpha = static_cast<W>(static_cast<T>(c.alpha));
  const W before = c.accumulate ? static_cast<W>(p.value_before) : W{0};
  const auto near = [&](T value, const reference::LinearSum<W>& product) {
    return within(value, reference::linear_backward_weights(product, alpha, before), gamma);
  };
  CHECK(count_wrong(p.dw, p.out_padding, stride, [&](std::size_t r, std::size_t col, T value) {
          return near(value, reference::inner_product<W>(a, b, r, col, c.batch));
        }) == 0);
  CHECK(count_wrong(simdrop::MatrixView<T>(p.db), p.out_padding, 1,
                    [&](std::size_t, std::size_t col, T value) {
                      return near(value, reference::inner_product<W>(a, ones, col, 0, c.batch));
                    }) == 0);
}

// Runs the three calls and checks all that they wrote, and that they wrote nothing else.
template <class T>
void check_linear(const LinearCase& c, LinearBuffers<T>& buffers, std::size_t stride = 1) {
  INFO_LINEAR(c);
  LinearProblem<T> p(c, buffers);
  p.run();
  check_forward(c, p, stride);
  check_backward_input(c, p, stride);
  check_backward_weights(c, p, stride);
  CHECK(buffers.intact());
}

}  // namespace test
