// Every kernel of the C API, for every element type: the bits of the C++ function.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "helpers/c_api.h"
#include "helpers/element.h"
#include "simdrop/linear.hpp"

namespace {

using c_api::dtype_of;
using c_api::make_dropout;
using c_api::same_dropout;
using simdrop::MatrixView;

constexpr std::int64_t row_count = 7, col_count = 37, padded_cols = 40;
constexpr std::size_t element_count = 7 * 40, mask_byte_count = (7 * 37 + 7) / 8;

template <class T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0;
}

// Inputs, and two of each output: the C function's and the C++ function's.
template <class T>
struct Arrays {
  std::vector<T> x = test::random_elements<T>(element_count, 1),
                 dy = test::random_elements<T>(element_count, 2);
  std::vector<T> bias = test::random_elements<T>(37, 3);
  std::vector<T> got = test::random_elements<T>(element_count, 4), want = got;
  std::vector<std::uint8_t> bits = test::random_bytes(mask_byte_count, 5);
  std::vector<std::uint8_t> got_mask = std::vector<std::uint8_t>(mask_byte_count, 0xA5);
  std::vector<std::uint8_t> want_mask = got_mask;
  simdrop_dropout dropout = make_dropout(0.7, 100);
  simdrop::Dropout same = same_dropout(dropout);

  [[nodiscard]] MatrixView<const T> view(const std::vector<T>& v) const {
    return {v.data(), 7, 37, 40};
  }
  [[nodiscard]] MatrixView<T> output() { return {want.data(), 7, 37, 40}; }

  void check(simdrop_status status) const {
    CHECK(status == SIMDROP_OK);
    CHECK(same_bits(got, want));
    CHECK(got_mask == want_mask);
  }
};

template <class T>
void check_drawn(bool with_mask, const simdrop_exec* exec) {
  Arrays<T> a;
  std::uint8_t* mask = with_mask ? a.got_mask.data() : nullptr;
  std::span<std::uint8_t> want_mask;
  if (with_mask) want_mask = a.want_mask;
  simdrop::dropout_forward(a.same, a.view(a.x), a.output(), want_mask);
  a.check(simdrop_dropout_forward(&a.dropout, dtype_of<T>, row_count, col_count, a.x.data(),
                                  padded_cols, a.got.data(), padded_cols, mask, exec, nullptr));
  simdrop::bias_relu_dropout_forward(a.same, a.view(a.x), std::span<const T>(a.bias), a.output(),
                                     want_mask);
  a.check(simdrop_bias_relu_dropout_forward(&a.dropout, dtype_of<T>, row_count, col_count,
                                            a.x.data(), padded_cols, a.bias.data(), a.got.data(),
                                            padded_cols, mask, exec, nullptr));
  simdrop::bias_relu_dropout_forward(a.same, a.view(a.x), std::span<const T>(), a.output(),
                                     want_mask);
  a.check(simdrop_bias_relu_dropout_forward(&a.dropout, dtype_of<T>, row_count, col_count,
                                            a.x.data(), padded_cols, nullptr, a.got.data(),
                                            padded_cols, mask, exec, nullptr));
  simdrop::residual_dropout_forward(a.same, a.view(a.x), a.view(a.dy), a.output(), want_mask);
  a.check(simdrop_residual_dropout_forward(&a.dropout, dtype_of<T>, row_count, col_count,
                                           a.x.data(), padded_cols, a.dy.data(), padded_cols,
                                           a.got.data(), padded_cols, mask, exec, nullptr));
  simdrop::dropout_backward(a.same, a.view(a.dy), a.output());
  a.check(simdrop_dropout_backward(&a.dropout, dtype_of<T>, row_count, col_count, a.dy.data(),
                                   padded_cols, a.got.data(), padded_cols, exec, nullptr));
}

template <class T>
void check_given(const simdrop_exec* exec) {
  Arrays<T> a;
  simdrop::dropout_backward(0.3, a.bits, a.view(a.dy), a.output());
  a.check(simdrop_dropout_backward_from_mask(0.3, a.bits.data(), dtype_of<T>, row_count, col_count,
                                             a.dy.data(), padded_cols, a.got.data(), padded_cols,
                                             exec, nullptr));
  simdrop::bias_relu_dropout_forward(0.3, a.bits, a.view(a.x), std::span<const T>(a.bias),
                                     a.output());
  a.check(simdrop_bias_relu_dropout_forward_from_mask(
      0.3, a.bits.data(), dtype_of<T>, row_count, col_count, a.x.data(), padded_cols, a.bias.data(),
      a.got.data(), padded_cols, exec, nullptr));
  simdrop::residual_dropout_forward(0.3, a.bits, a.view(a.x), a.view(a.dy), a.output());
  a.check(simdrop_residual_dropout_forward_from_mask(
      0.3, a.bits.data(), dtype_of<T>, row_count, col_count, a.x.data(), padded_cols, a.dy.data(),
      padded_cols, a.got.data(), padded_cols, exec, nullptr));
  simdrop::relu_dropout_backward(0.3, a.view(a.x), a.view(a.dy), a.output());
  a.check(simdrop_relu_dropout_backward(0.3, dtype_of<T>, row_count, col_count, a.x.data(),
                                        padded_cols, a.dy.data(), padded_cols, a.got.data(),
                                        padded_cols, exec, nullptr));
  a.got = a.x;  // in place
  CHECK(simdrop_relu_dropout_backward(0.3, dtype_of<T>, row_count, col_count, a.got.data(),
                                      padded_cols, a.dy.data(), padded_cols, a.got.data(),
                                      padded_cols, exec, nullptr) == SIMDROP_OK);
  for (std::size_t i = 0; i < element_count; ++i) {
    if (i % 40 >= 37) a.got[i] = a.want[i];  // between rows
  }
  CHECK(same_bits(a.got, a.want));
}

// A linear layer of 19 inputs and 23 outputs, a batch of 6.
template <class T>
struct Layer {
  std::vector<T> x = test::random_elements<T>(6 * 20, 11),
                 w = test::random_elements<T>(23 * 21, 12);
  std::vector<T> b = test::random_elements<T>(23, 13), dy = test::random_elements<T>(6 * 24, 14);
  std::vector<T> got = test::random_elements<T>(600, 15), want = got;
  std::vector<T> got_db = test::random_elements<T>(23, 16), want_db = got_db;
  std::vector<std::uint8_t> got_mask = std::vector<std::uint8_t>(18, 0xA5), want_mask = got_mask;
  MatrixView<const T> X{x.data(), 6, 19, 20}, W{w.data(), 23, 19, 21}, DY{dy.data(), 6, 23, 24};
  simdrop::LinearWorkspace workspace;
};

template <class T>
void check_linear(const simdrop_exec* exec) {
  Layer<T> l;
  simdrop_linear_workspace* workspace = nullptr;
  REQUIRE(simdrop_linear_workspace_create(&workspace, nullptr) == SIMDROP_OK);
  const simdrop_dropout dropout = make_dropout(0.6, 9);
  const simdrop::Dropout same = same_dropout(dropout);
  constexpr simdrop_dtype type = dtype_of<T>;

  simdrop::linear_forward(l.X, l.W, std::span<const T>(l.b), simdrop::Activation::relu, same,
                          MatrixView<T>{l.want.data(), 6, 23, 25}, l.workspace, l.want_mask);
  CHECK(simdrop_linear_forward(type, 6, 19, 23, l.x.data(), 20, l.w.data(), 21, l.b.data(),
                               SIMDROP_ACTIVATION_RELU, &dropout, l.got.data(), 25,
                               l.got_mask.data(), workspace, exec, nullptr) == SIMDROP_OK);
  CHECK(same_bits(l.got, l.want));
  CHECK(l.got_mask == l.want_mask);
  auto args = c_api::made(simdrop_linear_forward_args_init);
  args.batch = 6;
  args.in = 19;
  args.out = 23;
  args.x = l.x.data();
  args.x_ld = 20;
  args.weights = l.w.data();
  args.weights_ld = 21;
  args.bias = l.b.data();
  args.dropout = &dropout;
  args.y = l.got.data();
  args.y_ld = 25;
  args.mask = l.got_mask.data();
  args.workspace = workspace;
  args.exec = exec;
  args.dtype = type;
  args.activation = SIMDROP_ACTIVATION_RELU;
  std::ranges::fill(l.got_mask, std::uint8_t{0});
  std::ranges::copy(test::random_elements<T>(600, 15), l.got.begin());
  CHECK(simdrop_linear_forward_run(&args, nullptr) == SIMDROP_OK);
  CHECK(same_bits(l.got, l.want));
  CHECK(l.got_mask == l.want_mask);

  simdrop::linear_forward(l.X, l.W, std::span<const T>(), simdrop::Activation::identity, {},
                          MatrixView<T>{l.want.data(), 6, 23, 23}, l.workspace);
  CHECK(simdrop_linear_forward(type, 6, 19, 23, l.x.data(), 20, l.w.data(), 21, nullptr,
                               SIMDROP_ACTIVATION_IDENTITY, nullptr, l.got.data(), 23, nullptr,
                               workspace, exec, nullptr) == SIMDROP_OK);
  CHECK(same_bits(l.got, l.want));

  for (const bool gated : {false, true}) {
    const MatrixView<const T> stored = gated ? l.X : MatrixView<const T>{};
    simdrop::linear_backward_input(l.DY, l.W, stored, 0.4, MatrixView<T>{l.want.data(), 6, 19, 22},
                                   l.workspace);
    CHECK(simdrop_linear_backward_input(type, 6, 19, 23, l.dy.data(), 24, l.w.data(), 21,
                                        gated ? l.x.data() : nullptr, gated ? 20 : 0, 0.4,
                                        l.got.data(), 22, workspace, exec, nullptr) == SIMDROP_OK);
    CHECK(same_bits(l.got, l.want));

    simdrop::linear_backward_weights(l.DY, l.X, 0.25, gated,
                                     MatrixView<T>{l.want.data(), 23, 19, 24},
                                     std::span<T>(l.want_db), l.workspace);
    CHECK(simdrop_linear_backward_weights(type, 6, 19, 23, l.dy.data(), 24, l.x.data(), 20, 0.25,
                                          gated, l.got.data(), 24, l.got_db.data(), workspace, exec,
                                          nullptr) == SIMDROP_OK);
    CHECK(same_bits(l.got, l.want));
    CHECK(same_bits(l.got_db, l.want_db));
  }
  CHECK(simdrop_linear_workspace_bytes(workspace) ==
        static_cast<std::int64_t>(l.workspace.bytes()));
  simdrop_linear_workspace_destroy(workspace);
}

}  // namespace

TEST_SUITE("C API kernels") {
  TEST_CASE_TEMPLATE("dropout", T, float, double, simdrop::bfloat16, simdrop::float16) {
    const simdrop_exec streaming = c_api::make_exec(2, SIMDROP_STORES_STREAMING);
    for (const simdrop_exec* exec : {static_cast<const simdrop_exec*>(nullptr), &streaming}) {
      check_drawn<T>(true, exec);
      check_drawn<T>(false, exec);
      check_given<T>(exec);
    }
  }

  TEST_CASE_TEMPLATE("linear", T, float, double) {
    const simdrop_exec two = c_api::make_exec(2);
    check_linear<T>(nullptr);
    check_linear<T>(&two);
  }

  TEST_CASE("linear_forward_run: a leading dimension of 0 is that of rows without padding") {
    std::vector<float> x(6), w(6), y(4);
    for (std::size_t i = 0; i < 6; ++i) x[i] = w[i] = static_cast<float>(i);
    simdrop_linear_workspace* workspace = nullptr;
    REQUIRE(simdrop_linear_workspace_create(&workspace, nullptr) == SIMDROP_OK);
    auto args = c_api::made(simdrop_linear_forward_args_init);
    args.batch = 2;
    args.in = 3;
    args.out = 2;
    args.x = x.data();
    args.weights = w.data();
    args.y = y.data();
    args.workspace = workspace;
    CHECK(simdrop_linear_forward_run(&args, nullptr) == SIMDROP_OK);
    CHECK(y == std::vector<float>{5, 14, 14, 50});
    const auto run = [&](simdrop_error* e) { return simdrop_linear_forward_run(&args, e); };
    args.x_ld = 2;
    c_api::expect_invalid("x.ld", "2", run);
    args.x_ld = -1;
    c_api::expect_invalid("x_ld", "-1", run);
    args.x_ld = 0;
    args.in = -3;
    c_api::expect_invalid("in", "-3", run);
    args.in = 3;
    args.dtype = SIMDROP_F16;
    c_api::expect_invalid("dtype", "3", run);
    args.dtype = SIMDROP_F32;
    args.workspace = nullptr;
    c_api::expect_invalid("workspace", "NULL", run);
    args.struct_size = 8;
    c_api::expect_invalid("args->struct_size", "8", run);
    c_api::expect_invalid("args", "NULL",
                          [](simdrop_error* e) { return simdrop_linear_forward_run(nullptr, e); });
    // The function of many arguments takes no such 0.
    c_api::expect_invalid("x.ld", "0", [&](simdrop_error* e) {
      return simdrop_linear_forward(SIMDROP_F32, 2, 3, 2, x.data(), 0, w.data(), 3, nullptr, 0,
                                    nullptr, y.data(), 2, nullptr, workspace, nullptr, e);
    });
    CHECK(y == std::vector<float>{5, 14, 14, 50});
    simdrop_linear_workspace_destroy(workspace);
  }

  TEST_CASE("a workspace that is none") {
    simdrop_linear_workspace_destroy(nullptr);
    CHECK(simdrop_linear_workspace_bytes(nullptr) == 0);
  }
}
