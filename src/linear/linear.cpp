#include "simdrop/linear.hpp"

#include <algorithm>

#include "base/check.h"
#include "base/float_environment.h"
#include "base/matrix_check.h"
#include "dispatch/dispatch.h"
#include "linear/run.h"
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
void check_forward(MatrixView<const T> x, MatrixView<const T> weights, std::span<const T> bias,
                   MatrixView<T> y, std::span<std::uint8_t> mask) {
  check_memory(x, "x");
  detail::check_cols(weights, "weights", x.cols, "x.cols");
  check_memory(weights, "weights");
  check_optional_array(bias, "bias", weights.rows, "weights.rows");
  check_shape(y, "y", x.rows, weights.rows, "x.rows x weights.rows");
  check_memory(y, "y");
  check_optional_array(mask, "mask", mask_bytes(y.size()), "mask_bytes(y.rows * y.cols)");
  check_no_overlap(y, "y", x, "x");
  check_no_overlap(y, "y", weights, "weights");
  check_no_overlap(y, "y", bias, "bias");
  check_no_overlap(mask, "mask", x, "x");
  check_no_overlap(mask, "mask", weights, "weights");
  check_no_overlap(mask, "mask", bias, "bias");
  check_no_overlap(mask, "mask", y, "y");
}

template <class T>
void forward(MatrixView<const T> x, MatrixView<const T> weights, std::span<const T> bias,
             Activation activation, const Dropout& dropout, MatrixView<T> y,
             LinearWorkspace& workspace, std::span<std::uint8_t> mask, Threads threads) {
  detail::check_dropout(dropout);
  check_activation(activation);
  detail::check_threads(threads);
  check_forward(x, weights, bias, y, mask);
  if (y.size() == 0) return;
  detail::ForwardProduct<T> product{.x = x, .weights = weights, .y = y};
  product.epilogue.bias = bias.empty() ? nullptr : bias.data();
  product.epilogue.relu = activation == Activation::relu;
  product.epilogue.scale = detail::dropout_scale<T>(dropout.keep_prob);
  const detail::DrawnMask drawn{detail::make_mask_source(dropout), dropout.keep_prob != 1.0,
                                mask.empty() ? nullptr : mask.data()};
  run(detail::kernels(), product, drawn, workspace.state(), threads);
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
  if (given && keep_prob == 0.0) {  // all is dropped, whatever `stored` says
    for (std::size_t r = 0; r < dx.rows; ++r) std::fill_n(dx.row(r), dx.cols, T{0});
    return;
  }
  detail::BackwardInputProduct<T> product{.dy = dy, .weights = weights, .dx = dx};
  if (given) product.epilogue.stored = {stored.data, stored.ld};
  product.epilogue.scale = detail::dropout_scale<T>(keep_prob);
  run(detail::kernels(), product, workspace.state(), threads);
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
  detail::BackwardWeightsProduct<T> product{.dy = dy, .x = x};
  product.use.alpha = static_cast<T>(alpha);
  product.use.update = accumulate ? detail::Update::add : detail::Update::store;
  product.use.dw = {dw.data, nullptr, nullptr, dw.ld};
  if (!db.empty()) product.use.db.data = db.data();
  run(detail::kernels(), product, workspace.state(), threads);
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
    const detail::DefaultFloats floats;                                                            \
    forward(x, weights, bias, activation, dropout, y, workspace, mask, threads);                   \
  }                                                                                                \
  void linear_backward_input(MatrixView<const T> dy, MatrixView<const T> weights,                  \
                             MatrixView<const T> stored, double keep_prob, MatrixView<T> dx,       \
                             LinearWorkspace& workspace, Threads threads) {                        \
    const detail::DefaultFloats floats(keep_prob);                                                 \
    backward_input(dy, weights, stored, keep_prob, dx, workspace, threads);                        \
  }                                                                                                \
  void linear_backward_weights(MatrixView<const T> dy, MatrixView<const T> x, double alpha,        \
                               bool accumulate, MatrixView<T> dw, std::span<T> db,                 \
                               LinearWorkspace& workspace, Threads threads) {                      \
    const detail::DefaultFloats floats(alpha);                                                     \
    backward_weights(dy, x, alpha, accumulate, dw, db, workspace, threads);                        \
  }

SIMDROP_DEFINE_FOR(float)
SIMDROP_DEFINE_FOR(double)

#undef SIMDROP_DEFINE_FOR

}  // namespace simdrop
