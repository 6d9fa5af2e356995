// Options by name: each function with them is that with arguments one by one.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "helpers/element.h"
#include "helpers/expect_invalid.h"
#include "simdrop/linear.hpp"

namespace {

using simdrop::Activation;
using simdrop::Dropout;
using simdrop::MatrixView;

constexpr std::size_t batch = 5, in = 11, out = 7;
constexpr Dropout dropout{.keep_prob = 0.7, .stream = {.seed = 4, .id = 5}};

template <class T>
struct Layer {
  std::vector<T> x_of = test::random_elements<T>(batch * in, 1);
  std::vector<T> weights_of = test::random_elements<T>(out * in, 2);
  std::vector<T> bias = test::random_elements<T>(out, 3);
  std::vector<T> dy_of = test::random_elements<T>(batch * out, 4);
  MatrixView<const T> x{x_of, batch, in}, weights{weights_of, out, in}, dy{dy_of, batch, out};
  simdrop::LinearWorkspace workspace;
};

}  // namespace

TEST_CASE_TEMPLATE("linear options: forward", T, float, double) {
  Layer<T> l;
  std::vector<T> y(batch * out), want(y);
  std::vector<std::uint8_t> mask(simdrop::mask_bytes(y.size())), want_mask(mask);
  const MatrixView<T> result(y, batch, out), wanted(want, batch, out);
  simdrop::linear_forward(l.x, l.weights, l.bias, Activation::relu, dropout, wanted, l.workspace,
                          want_mask);
  simdrop::linear_forward(l.x, l.weights, result, l.workspace,
                          {.bias = l.bias,
                           .activation = Activation::relu,
                           .dropout = dropout,
                           .mask = mask,
                           .threads = 2});
  CHECK(y == want);
  CHECK(mask == want_mask);
  simdrop::linear_forward(l.x, l.weights, {}, Activation::identity, {}, wanted, l.workspace);
  simdrop::linear_forward(l.x, l.weights, result, l.workspace);
  CHECK(y == want);
  test::expect_invalid("threads.count", "-1", [&] {
    simdrop::linear_forward(l.x, l.weights, result, l.workspace, {.threads = -1});
  });
}

TEST_CASE_TEMPLATE("linear options: backward", T, float, double) {
  Layer<T> l;
  std::vector<T> dx(batch * in), want_dx(dx), dw(out * in), want_dw(dw), db(out), want_db(db);
  const MatrixView<T> dx_out(dx, batch, in), want_dx_out(want_dx, batch, in);
  const MatrixView<T> dw_out(dw, out, in), want_dw_out(want_dw, out, in);
  simdrop::linear_backward_input(l.dy, l.weights, l.x, 0.7, want_dx_out, l.workspace);
  simdrop::linear_backward_input(l.dy, l.weights, dx_out, l.workspace,
                                 {.stored = l.x, .keep_prob = 0.7, .threads = 2});
  CHECK(dx == want_dx);
  simdrop::linear_backward_input(l.dy, l.weights, {}, 1.0, want_dx_out, l.workspace);
  simdrop::linear_backward_input(l.dy, l.weights, dx_out, l.workspace);
  CHECK(dx == want_dx);
  simdrop::linear_backward_input(l.dy, l.weights, dx_out, l.workspace,
                                 {.stored = std::vector<T>{}});  // empty: none
  CHECK(dx == want_dx);
  simdrop::linear_backward_weights(l.dy, l.x, 1.0, false, want_dw_out, {}, l.workspace);
  simdrop::linear_backward_weights(l.dy, l.x, dw_out, l.workspace);
  CHECK(dw == want_dw);
  simdrop::linear_backward_weights(l.dy, l.x, 0.5, true, want_dw_out, want_db, l.workspace);
  simdrop::linear_backward_weights(l.dy, l.x, dw_out, l.workspace,
                                   {.alpha = 0.5, .accumulate = true, .db = db, .threads = 2});
  CHECK(dw == want_dw);
  CHECK(db == want_db);
  test::expect_invalid("keep_prob", "2", [&] {
    simdrop::linear_backward_input(l.dy, l.weights, dx_out, l.workspace, {.keep_prob = 2.0});
  });
  test::expect_invalid("threads.count", "-1", [&] {
    simdrop::linear_backward_weights(l.dy, l.x, dw_out, l.workspace, {.threads = -1});
  });
}

TEST_CASE("linear options: plain vectors are matrices of one row") {
  simdrop::LinearWorkspace workspace;
  const std::vector<float> x{1, 2, 3}, weights{4, 5, 6};
  std::vector<float> y(1), dx(3), dw(3);
  simdrop::linear_forward(x, weights, y, workspace, {.bias = std::vector<float>{0.5F}});
  CHECK(y[0] == 32.5F);
  simdrop::linear_backward_input(y, weights, dx, workspace);
  CHECK(dx[2] == 195.0F);
  simdrop::linear_backward_weights(y, x, dw, workspace);
  CHECK(dw[2] == 97.5F);
}

TEST_CASE_TEMPLATE("linear options: keep_prob 0 gives +0, whatever was stored", T, float, double) {
  Layer<T> l;
  l.dy_of[0] = std::numeric_limits<T>::quiet_NaN();
  l.dy_of[out] = std::numeric_limits<T>::infinity();
  const std::vector<T> ones(batch * in, T{1});
  for (const std::size_t ld : {in, in + 2}) {
    std::vector<T> dx(batch * ld, T{9});
    simdrop::linear_backward_input(
        l.dy, l.weights, MatrixView<T>(dx.data(), batch, in, ld), l.workspace,
        {.stored = MatrixView<const T>(ones, batch, in), .keep_prob = 0.0, .threads = 2});
    for (std::size_t i = 0; i < dx.size(); ++i) {
      CHECK(dx[i] == (i % ld < in ? T{0} : T{9}));
      CHECK_FALSE(std::signbit(dx[i]));
    }
  }
  // Without `stored` there is no dropout.
  std::vector<T> dx(batch * in), want(dx);
  simdrop::linear_backward_input(l.dy, l.weights, {dx, batch, in}, l.workspace, {.keep_prob = 0.0});
  simdrop::linear_backward_input(l.dy, l.weights, {want, batch, in}, l.workspace);
  CHECK(std::equal(dx.begin() + 2 * in, dx.end(), want.begin() + 2 * in));
}
