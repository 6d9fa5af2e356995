#include "simdrop/linear.hpp"

#include <string>

#include "base/check.h"
#include "base/matrix_check.h"
#include "dispatch/dispatch.h"
#include "linear/linear_impl.h"
#include "mask/mask_source.h"

namespace simdrop {
namespace {

using detail::check_apart;
using detail::check_shape;
using detail::check_view;
using detail::throw_invalid;

void check_count(const char* name, std::size_t value, std::size_t wanted, const char* like) {
  if (value == wanted) return;
  throw_invalid(name, value, std::string(like) + " = " + std::to_string(wanted));
}

void check_vector(const detail::Extent& vector, const char* name, std::size_t wanted,
                  const char* like) {
  if (vector.size() != 0 && vector.size() != wanted) {
    throw_invalid(std::string(name) + ".size()", vector.size(),
                  std::string("0 or ") + like + " = " + std::to_string(wanted));
  }
  check_view(vector, name);
}

void check_activation(Activation activation) {
  detail::check_argument(activation == Activation::identity || activation == Activation::relu,
                         "activation", static_cast<std::int32_t>(activation),
                         "0 (identity) or 1 (relu)");
}

template <class T>
void check_forward(const detail::LinearForward<T>& call, std::span<const T> bias,
                   std::span<std::uint8_t> mask) {
  check_view(call.x, "x");
  check_count("weights.cols", call.weights.cols, call.x.cols, "x.cols");
  check_view(call.weights, "weights");
  check_vector(bias, "bias", call.weights.rows, "weights.rows");
  check_shape(call.y, "y", call.x.rows, call.weights.rows, "x.rows x weights.rows");
  check_view(call.y, "y");
  check_vector(mask, "mask", mask_bytes(call.y.size()), "mask_bytes(batch * out)");
  check_apart(call.y, "y", call.x, "x");
  check_apart(call.y, "y", call.weights, "weights");
  check_apart(call.y, "y", bias, "bias");
  check_apart(mask, "mask", call.x, "x");
  check_apart(mask, "mask", call.weights, "weights");
  check_apart(mask, "mask", bias, "bias");
  check_apart(mask, "mask", call.y, "y");
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
  check_view(dy, "dy");
  check_count("weights.rows", weights.rows, dy.cols, "dy.cols");
  check_view(weights, "weights");
  const bool given = stored.rows != 0 || stored.cols != 0;
  if (given) {
    check_shape(stored, "stored", dy.rows, weights.cols, "dy.rows x weights.cols");
    check_view(stored, "stored");
  }
  check_shape(dx, "dx", dy.rows, weights.cols, "dy.rows x weights.cols");
  check_view(dx, "dx");
  check_apart(dx, "dx", dy, "dy");
  check_apart(dx, "dx", weights, "weights");
  check_apart(dx, "dx", stored, "stored");
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
  check_view(dy, "dy");
  check_count("x.rows", x.rows, dy.rows, "dy.rows");
  check_view(x, "x");
  check_shape(dw, "dw", dy.cols, x.cols, "dy.cols x x.cols");
  check_view(dw, "dw");
  check_vector(db, "db", dy.cols, "dy.cols");
  check_apart(dw, "dw", dy, "dy");
  check_apart(dw, "dw", x, "x");
  check_apart(db, "db", dy, "dy");
  check_apart(db, "db", x, "x");
  check_apart(db, "db", dw, "dw");
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
