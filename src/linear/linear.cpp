#include "simdrop/linear.hpp"

#include "base/check.h"
#include "base/matrix_check.h"
#include "dispatch/dispatch.h"
#include "linear/linear_impl.h"
#include "mask/mask_check.h"
#include "mask/mask_source.h"
#include "threading/parallel.h"

namespace simdrop {
namespace {

using detail::check_memory;
using detail::check_no_overlap;
using detail::check_optional_array;
using detail::check_shape;

void check_activation(Activation activation) {
  detail::check_argument(activation == Activation::identity || activation == Activation::relu,
                         "activation", static_cast<std::int32_t>(activation),
                         "0 (identity) or 1 (relu)");
}

template <class T>
void check_forward(const detail::LinearForward<T>& call, std::span<const T> bias,
                   std::span<std::uint8_t> mask) {
  check_memory(call.x, "x");
  detail::check_cols(call.weights, "weights", call.x.cols, "x.cols");
  check_memory(call.weights, "weights");
  check_optional_array(bias, "bias", call.weights.rows, "weights.rows");
  check_shape(call.y, "y", call.x.rows, call.weights.rows, "x.rows x weights.rows");
  check_memory(call.y, "y");
  check_optional_array(mask, "mask", mask_bytes(call.y.size()), "mask_bytes(y.rows * y.cols)");
  check_no_overlap(call.y, "y", call.x, "x");
  check_no_overlap(call.y, "y", call.weights, "weights");
  check_no_overlap(call.y, "y", bias, "bias");
  check_no_overlap(mask, "mask", call.x, "x");
  check_no_overlap(mask, "mask", call.weights, "weights");
  check_no_overlap(mask, "mask", bias, "bias");
  check_no_overlap(mask, "mask", call.y, "y");
}

template <class T>
void forward(MatrixView<const T> x, MatrixView<const T> weights, std::span<const T> bias,
             Activation activation, const Dropout& dropout, MatrixView<T> y,
             LinearWorkspace& workspace, std::span<std::uint8_t> mask, Threads threads) {
  detail::check_dropout(dropout);
  check_activation(activation);
  detail::check_threads(threads);
  const detail::LinearForward<T> call{x,
                                      weights,
                                      bias.empty() ? nullptr : bias.data(),
                                      activation,
                                      dropout.keep_prob != 1.0,
                                      detail::make_mask_source(dropout),
                                      detail::dropout_scale<T>(dropout.keep_prob),
                                      y,
                                      mask.empty() ? nullptr : mask.data()};
  check_forward(call, bias, mask);
  if (y.size() == 0) return;
  linear_forward_impl(detail::kernels(), call, workspace.state(), threads);
}

template <class T>
void backward_input(MatrixView<const T> dy, MatrixView<const T> weights, MatrixView<const T> stored,
                    double keep_prob, MatrixView<T> dx, LinearWorkspace& workspace,
                    Threads threads) {
  detail::check_keep_prob(keep_prob);
  detail::check_threads(threads);
  check_memory(dy, "dy");
  detail::check_rows(weights, "weights", dy.cols, "dy.cols");
  check_memory(weights, "weights");
  const bool given = stored.rows != 0 || stored.cols != 0;
  if (given) {
    check_shape(stored, "stored", dy.rows, weights.cols, "dy.rows x weights.cols");
    check_memory(stored, "stored");
  }
  check_shape(dx, "dx", dy.rows, weights.cols, "dy.rows x weights.cols");
  check_memory(dx, "dx");
  check_no_overlap(dx, "dx", dy, "dy");
  check_no_overlap(dx, "dx", weights, "weights");
  check_no_overlap(dx, "dx", stored, "stored");
  if (dx.size() == 0) return;
  linear_backward_input_impl<T>(detail::kernels(),
                                {dy, weights, given ? stored : MatrixView<const T>{},
                                 detail::dropout_scale<T>(keep_prob), dx},
                                workspace.state(), threads);
}

template <class T>
void backward_weights(MatrixView<const T> dy, MatrixView<const T> x, double alpha, bool accumulate,
                      MatrixView<T> dw, std::span<T> db, LinearWorkspace& workspace,
                      Threads threads) {
  detail::check_threads(threads);
  check_memory(dy, "dy");
  detail::check_rows(x, "x", dy.rows, "dy.rows");
  check_memory(x, "x");
  check_shape(dw, "dw", dy.cols, x.cols, "dy.cols x x.cols");
  check_memory(dw, "dw");
  check_optional_array(db, "db", dy.cols, "dy.cols");
  check_no_overlap(dw, "dw", dy, "dy");
  check_no_overlap(dw, "dw", x, "x");
  check_no_overlap(db, "db", dy, "dy");
  check_no_overlap(db, "db", x, "x");
  check_no_overlap(db, "db", dw, "dw");
  if (dw.rows == 0) return;
  linear_backward_weights_impl<T>(
      detail::kernels(),
      {dy, x, static_cast<T>(alpha), accumulate, dw, db.empty() ? nullptr : db.data()},
      workspace.state(), threads);
}

}  // namespace

LinearWorkspace::LinearWorkspace() noexcept = default;
LinearWorkspace::~LinearWorkspace() = default;
LinearWorkspace::LinearWorkspace(LinearWorkspace&&) noexcept = default;
LinearWorkspace& LinearWorkspace::operator=(LinearWorkspace&&) noexcept = default;

std::size_t LinearWorkspace::bytes() const noexcept {
  return state_ == nullptr ? 0 : state_->bytes;
}

LinearWorkspace::State& LinearWorkspace::state() {
  if (state_ == nullptr) state_ = std::make_unique<State>();
  return *state_;
}

// The three functions for elements of one type.
#define SIMDROP_DEFINE_FOR(T)                                                                      \
  void linear_forward(MatrixView<const T> x, MatrixView<const T> weights, std::span<const T> bias, \
                      Activation activation, const Dropout& dropout, MatrixView<T> y,              \
                      LinearWorkspace& workspace, std::span<std::uint8_t> mask, Threads threads) { \
    forward(x, weights, bias, activation, dropout, y, workspace, mask, threads);                   \
  }                                                                                                \
  void linear_backward_input(MatrixView<const T> dy, MatrixView<const T> weights,                  \
                             MatrixView<const T> stored, double keep_prob, MatrixView<T> dx,       \
                             LinearWorkspace& workspace, Threads threads) {                        \
    backward_input(dy, weights, stored, keep_prob, dx, workspace, threads);                        \
  }                                                                                                \
  void linear_backward_weights(MatrixView<const T> dy, MatrixView<const T> x, double alpha,        \
                               bool accumulate, MatrixView<T> dw, std::span<T> db,                 \
                               LinearWorkspace& workspace, Threads threads) {                      \
    backward_weights(dy, x, alpha, accumulate, dw, db, workspace, threads);                        \
  }

SIMDROP_DEFINE_FOR(float)
SIMDROP_DEFINE_FOR(double)

#undef SIMDROP_DEFINE_FOR

}  // namespace simdrop
