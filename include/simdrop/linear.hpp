/// @file
/// The fused linear layer: matrix products that carry bias, ReLU, dropout and their gradients.
///
/// Common to all of them:
/// - Matrices are row-major views (matrix.hpp): activations batch x features, weights out x in, as
///   PyTorch stores them. Any shape from 0, any alignment of the element type, any ld >= cols.
/// - Outputs overlap no other argument.
/// - Arithmetic is in the element type; a sum over k elements is off by at most about k eps of the
///   sum of the magnitudes, and its order depends on the shapes and the instruction set alone:
///   results are bitwise the same on any number of threads.
/// - Dropout draws the bits of the mask contract (mask.hpp): element (r, c) of y is element
///   dropout.first + r * cols + c of the stream, modulo 2^64. A dropped element is exactly +0. ReLU
///   keeps NaN.
/// - NaN and Inf in operands spread as IEEE 754 says.
/// - threads: who runs the call (threads.hpp).
/// - `workspace` holds packed operands. It grows when a call needs more than it has (then
///   std::bad_alloc is possible, before anything is written), so a repeated call allocates nothing.
///   A workspace must not be used by two calls at once; apart from it the calls are thread-safe.
/// - Throws std::invalid_argument naming the argument, its value and what was allowed (shapes that
///   do not fit, ld < cols, null data, keep_prob NaN or outside [0, 1], wrong mask size, an
///   enumeration out of range, threads.count < 0); then nothing is written.
/// Sources: Goto and van de Geijn, "Anatomy of high-performance matrix multiplication", ACM TOMS 34
/// (2008); Srivastava et al., "Dropout", JMLR 15 (2014), in the inverted form of the textbooks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "simdrop/api.h"
#include "simdrop/mask.hpp"
#include "simdrop/matrix.hpp"
#include "simdrop/requirements.hpp"
#include "simdrop/threads.hpp"

namespace simdrop {

/// What follows the bias.
enum class Activation : std::int32_t {
  identity = 0,  ///< a = z
  relu = 1       ///< a = max(z, 0), and NaN where z is NaN
};

/// Scratch memory of the calls below; see the top of this file. Move-only; one that was moved from
/// is as good as new.
class SIMDROP_API LinearWorkspace {
 public:
  LinearWorkspace() noexcept;                              ///< holds nothing
  ~LinearWorkspace();                                      ///< gives the memory back
  LinearWorkspace(LinearWorkspace&&) noexcept;             ///< takes over the memory
  LinearWorkspace& operator=(LinearWorkspace&&) noexcept;  ///< takes over the memory
  /// What it holds now, in bytes.
  [[nodiscard]] std::size_t bytes() const noexcept;

  struct State;
  /// Of the library's own use. The first call allocates it.
  [[nodiscard]] [[gnu::visibility("hidden")]] State& state();

 private:
  std::unique_ptr<State> state_;
};

///@{
/// z = x W^T + bias; a = activation(z); y = kept ? a * scale : 0, scale = 1 / dropout.keep_prob
/// (keep_prob 1: no dropout). x: batch x in, weights: out x in, bias: out values or empty, y: batch
/// x out. Writes the mask bits of y too if `mask`, mask_bytes(batch * out) long, is not empty.
SIMDROP_API void linear_forward(ConstMatrix x, ConstMatrix weights, std::span<const float> bias,
                                Activation activation, const Dropout& dropout, Matrix y,
                                LinearWorkspace& workspace, std::span<std::uint8_t> mask = {},
                                Threads threads = 1);
SIMDROP_API void linear_forward(MatrixView<const double> x, MatrixView<const double> weights,
                                std::span<const double> bias, Activation activation,
                                const Dropout& dropout, MatrixView<double> y,
                                LinearWorkspace& workspace, std::span<std::uint8_t> mask = {},
                                Threads threads = 1);
///@}

///@{
/// dx = dy W, and if `stored` is not empty: stored > 0 ? dx / keep_prob : 0. `stored` is what the
/// ReLU and dropout of the layer before wrote (that layer's y, this layer's x), so that dx is the
/// gradient of that layer's z; with `stored` and keep_prob 0 it is +0, whatever the rest is. dy:
/// batch x out, weights: out x in, stored and dx: batch x in.
SIMDROP_API void linear_backward_input(ConstMatrix dy, ConstMatrix weights, ConstMatrix stored,
                                       double keep_prob, Matrix dx, LinearWorkspace& workspace,
                                       Threads threads = 1);
SIMDROP_API void linear_backward_input(MatrixView<const double> dy,
                                       MatrixView<const double> weights,
                                       MatrixView<const double> stored, double keep_prob,
                                       MatrixView<double> dx, LinearWorkspace& workspace,
                                       Threads threads = 1);
///@}

///@{
/// dw = alpha dy^T x, db = alpha (sum of the rows of dy, in order); both are added to what dw and
/// db hold if `accumulate`. dy: batch x out, x: batch x in, dw: out x in, db: out values or empty.
/// For the mean over a batch, alpha = 1 / batch (rounded to the element type).
SIMDROP_API void linear_backward_weights(ConstMatrix dy, ConstMatrix x, double alpha,
                                         bool accumulate, Matrix dw, std::span<float> db,
                                         LinearWorkspace& workspace, Threads threads = 1);
SIMDROP_API void linear_backward_weights(MatrixView<const double> dy, MatrixView<const double> x,
                                         double alpha, bool accumulate, MatrixView<double> dw,
                                         std::span<double> db, LinearWorkspace& workspace,
                                         Threads threads = 1);
///@}

/// What may be said of a linear_forward(), by name: {.bias = b, .activation = Activation::relu}.
template <class T>
struct LinearForwardOptions {
  std::span<const T> bias{};                     ///< out values; empty: none
  Activation activation = Activation::identity;  ///< what follows the bias
  Dropout dropout{};                             ///< its default keeps all
  std::span<std::uint8_t> mask{};                ///< receives the mask bits of y, or empty
  Threads threads = 1;                           ///< who runs the call
};

/// What may be said of a linear_backward_input(), by name.
template <class T>
struct LinearBackwardInputOptions {
  MatrixView<const T> stored{};  ///< what the layer before wrote, batch x in; empty: no ReLU there
  double keep_prob = 1.0;        ///< of that layer's dropout
  Threads threads = 1;           ///< who runs the call
};

/// What may be said of a linear_backward_weights(), by name.
template <class T>
struct LinearBackwardWeightsOptions {
  double alpha = 1.0;       ///< of dw and db; 1 / batch for the mean over a batch
  bool accumulate = false;  ///< add to what dw and db hold
  std::span<T> db{};        ///< receives the gradient of the bias, out values; empty: none
  Threads threads = 1;      ///< who runs the call
};

///@{
/// The same with options by name: linear_forward(x, weights, y, workspace, {.bias = b,
/// .activation = Activation::relu, .dropout = d, .mask = mask, .threads = 2}).
inline void linear_forward(ConstMatrix x, ConstMatrix weights, Matrix y, LinearWorkspace& workspace,
                           const LinearForwardOptions<float>& options = {}) {
  linear_forward(x, weights, options.bias, options.activation, options.dropout, y, workspace,
                 options.mask, options.threads);
}
inline void linear_forward(MatrixView<const double> x, MatrixView<const double> weights,
                           MatrixView<double> y, LinearWorkspace& workspace,
                           const LinearForwardOptions<double>& options = {}) {
  linear_forward(x, weights, options.bias, options.activation, options.dropout, y, workspace,
                 options.mask, options.threads);
}
inline void linear_backward_input(ConstMatrix dy, ConstMatrix weights, Matrix dx,
                                  LinearWorkspace& workspace,
                                  const LinearBackwardInputOptions<float>& options = {}) {
  const auto stored = options.stored.size() == 0 ? ConstMatrix() : options.stored;
  linear_backward_input(dy, weights, stored, options.keep_prob, dx, workspace, options.threads);
}
inline void linear_backward_input(MatrixView<const double> dy, MatrixView<const double> weights,
                                  MatrixView<double> dx, LinearWorkspace& workspace,
                                  const LinearBackwardInputOptions<double>& options = {}) {
  const auto stored = options.stored.size() == 0 ? MatrixView<const double>() : options.stored;
  linear_backward_input(dy, weights, stored, options.keep_prob, dx, workspace, options.threads);
}
inline void linear_backward_weights(ConstMatrix dy, ConstMatrix x, Matrix dw,
                                    LinearWorkspace& workspace,
                                    const LinearBackwardWeightsOptions<float>& options = {}) {
  linear_backward_weights(dy, x, options.alpha, options.accumulate, dw, options.db, workspace,
                          options.threads);
}
inline void linear_backward_weights(MatrixView<const double> dy, MatrixView<const double> x,
                                    MatrixView<double> dw, LinearWorkspace& workspace,
                                    const LinearBackwardWeightsOptions<double>& options = {}) {
  linear_backward_weights(dy, x, options.alpha, options.accumulate, dw, options.db, workspace,
                          options.threads);
}
///@}

}  // namespace simdrop
