/// @file
/// Fused dropout kernels on float, double, bfloat16 and float16.
///
/// Common to all of them:
/// - Matrices are row-major views (matrix.hpp), and a std::vector or another contiguous range is a
///   matrix of one row. All matrices of a call have the same rows, cols and element type. Any
///   length from 0, any alignment of the element type, any ld >= cols.
/// - The output may be the input itself (in place): the same data and, with more than one row, the
///   same ld. Otherwise what is written, the mask too, must overlap no other argument. Matrices of
///   one ld may interleave: different columns of the same rows do not overlap.
/// - Element (r, c) of a call is element dropout.first + r * cols + c of the stream, modulo 2^64,
///   and bit r * cols + c of a mask: masks are packed without regard to ld, mask_bytes(rows * cols)
///   long. Which elements are kept does not depend on their type.
/// - Arithmetic is in double for double, and in float for the others; every operation below is
///   rounded to nearest even. scale = 1 / keep_prob, computed in double and rounded to the type of
///   the arithmetic, of which it is at most the largest finite number; it is multiplied where the
///   textbook divides (at most 1 ulp apart).
/// - bfloat16 and float16 inputs are widened exactly. Results are rounded once more, to nearest
///   even, when they are stored: subnormals are kept, and what is too large becomes Inf.
/// - Dropped means exactly +0, whatever the input: elements are selected, never multiplied by 0, so
///   a dropped Inf or NaN becomes +0. A kept NaN stays a NaN, quiet, whose sign and payload are
///   unspecified; a kept -0 stays -0.
/// - threads: who runs the call (threads.hpp); the result does not depend on it, bit for bit.
/// - stores: how results reach memory; the result does not depend on it either.
/// - Thread-safe, no allocation, no state. Nothing outside the rows' cols elements is read or
///   written.
/// - Throws std::invalid_argument naming the argument, its value and what was allowed, and writes
///   nothing then: for a keep_prob that is NaN or outside [0, 1], shapes that differ, ld < cols, a
///   matrix beyond PTRDIFF_MAX bytes, null data, a mask of another size, outputs that overlap, an
///   enumeration out of range, or threads.count < 0.
/// Source: Srivastava et al., "Dropout", JMLR 15 (2014), in the inverted form of the textbooks.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <utility>

#include "simdrop/api.h"
#include "simdrop/float16.hpp"
#include "simdrop/mask.hpp"
#include "simdrop/matrix.hpp"
#include "simdrop/requirements.hpp"
#include "simdrop/threads.hpp"

namespace simdrop {

namespace detail {

// The first member of options: it takes no value, so that braces with values without names are what
// they were to the forms that take mask, threads and stores one by one.
struct ByName {
  constexpr ByName() noexcept {}  // NOLINT(modernize-use-equals-default): no aggregate
};

// The element type of what converts to a matrix; void of anything else.
template <class X>
using ElementOf = std::conditional_t<
    std::is_convertible_v<X, MatrixView<const float>>, float,
    std::conditional_t<
        std::is_convertible_v<X, MatrixView<const double>>, double,
        std::conditional_t<std::is_convertible_v<X, MatrixView<const bfloat16>>, bfloat16,
                           std::conditional_t<std::is_convertible_v<X, MatrixView<const float16>>,
                                              float16, void>>>>;

// All convert to matrices of one element type, and `Out` to one that may be written.
template <class Out, class In, class... MoreIn>
concept Matrices =
    !std::is_void_v<ElementOf<In>> && std::is_convertible_v<Out, MatrixView<ElementOf<In>>> &&
    (... && std::is_convertible_v<MoreIn, MatrixView<const ElementOf<In>>>);

}  // namespace detail

/// How a call writes its output. Streaming goes around the caches: it saves reading the lines that
/// are about to be overwritten, but the output is then in no cache for whoever reads it next.
/// In place it is allowed, and saves nothing. Where an instruction set has no such stores (scalar,
/// neon), streaming is the same as cached.
enum class Stores : std::int32_t {
  automatic = 0,  ///< streaming if the output has streaming_threshold_bytes or more, else cached
  cached = 1,
  streaming = 2
};

/// Output of a call (rows * cols elements) from which Stores::automatic streams.
inline constexpr std::size_t streaming_threshold_bytes = std::size_t{16} << 20;

/// What may be said of a call that draws a mask, each field by its name:
/// dropout_forward(dropout, x, y, {.mask = mask, .threads = 2}).
struct DropoutOptions {
  detail::ByName by_name{};           ///< @private
  std::span<std::uint8_t> mask{};     ///< receives the mask bits; empty: they are not stored
  Threads threads = 1;                ///< who runs the call
  Stores stores = Stores::automatic;  ///< how the output is written
};

/// What may be said of another call, likewise: dropout_backward(dropout, dy, dx, {.threads = 2}).
struct RunOptions {
  detail::ByName by_name{};           ///< @private
  Threads threads = 1;                ///< who runs the call
  Stores stores = Stores::automatic;  ///< how the output is written
};

///@{
/// y = kept ? x * scale : 0. Writes the mask bits too if `mask` is not empty.
SIMDROP_API void dropout_forward(const Dropout& dropout, ConstMatrix x, Matrix y,
                                 std::span<std::uint8_t> mask = {}, Threads threads = 1,
                                 Stores stores = Stores::automatic);
SIMDROP_API void dropout_forward(const Dropout& dropout, MatrixView<const double> x,
                                 MatrixView<double> y, std::span<std::uint8_t> mask = {},
                                 Threads threads = 1, Stores stores = Stores::automatic);
SIMDROP_API void dropout_forward(const Dropout& dropout, MatrixView<const bfloat16> x,
                                 MatrixView<bfloat16> y, std::span<std::uint8_t> mask = {},
                                 Threads threads = 1, Stores stores = Stores::automatic);
SIMDROP_API void dropout_forward(const Dropout& dropout, MatrixView<const float16> x,
                                 MatrixView<float16> y, std::span<std::uint8_t> mask = {},
                                 Threads threads = 1, Stores stores = Stores::automatic);
///@}

///@{
/// dx = kept ? dy * scale : 0, with the mask recomputed from the stream: nothing was stored.
SIMDROP_API void dropout_backward(const Dropout& dropout, ConstMatrix dy, Matrix dx,
                                  Threads threads = 1, Stores stores = Stores::automatic);
SIMDROP_API void dropout_backward(const Dropout& dropout, MatrixView<const double> dy,
                                  MatrixView<double> dx, Threads threads = 1,
                                  Stores stores = Stores::automatic);
SIMDROP_API void dropout_backward(const Dropout& dropout, MatrixView<const bfloat16> dy,
                                  MatrixView<bfloat16> dx, Threads threads = 1,
                                  Stores stores = Stores::automatic);
SIMDROP_API void dropout_backward(const Dropout& dropout, MatrixView<const float16> dy,
                                  MatrixView<float16> dx, Threads threads = 1,
                                  Stores stores = Stores::automatic);
///@}

///@{
/// dx = kept ? dy * scale : 0, from stored mask bits. With keep_prob 0 everything is dropped,
/// whatever the bits say.
SIMDROP_API void dropout_backward(double keep_prob, std::span<const std::uint8_t> mask,
                                  ConstMatrix dy, Matrix dx, Threads threads = 1,
                                  Stores stores = Stores::automatic);
SIMDROP_API void dropout_backward(double keep_prob, std::span<const std::uint8_t> mask,
                                  MatrixView<const double> dy, MatrixView<double> dx,
                                  Threads threads = 1, Stores stores = Stores::automatic);
SIMDROP_API void dropout_backward(double keep_prob, std::span<const std::uint8_t> mask,
                                  MatrixView<const bfloat16> dy, MatrixView<bfloat16> dx,
                                  Threads threads = 1, Stores stores = Stores::automatic);
SIMDROP_API void dropout_backward(double keep_prob, std::span<const std::uint8_t> mask,
                                  MatrixView<const float16> dy, MatrixView<float16> dx,
                                  Threads threads = 1, Stores stores = Stores::automatic);
///@}

///@{
/// y = residual + (kept ? x * scale : 0), rounded after the product and after the sum: dropout on a
/// branch, and the connection around it, in one pass. y may be x or residual (in place). Where x is
/// dropped y is the residual, but +0 for -0. The gradient of the residual is dy; that of x is what
/// dropout_backward(dropout, dy, dx) writes.
SIMDROP_API void residual_dropout_forward(const Dropout& dropout, ConstMatrix x,
                                          ConstMatrix residual, Matrix y,
                                          std::span<std::uint8_t> mask = {}, Threads threads = 1,
                                          Stores stores = Stores::automatic);
SIMDROP_API void residual_dropout_forward(const Dropout& dropout, MatrixView<const double> x,
                                          MatrixView<const double> residual, MatrixView<double> y,
                                          std::span<std::uint8_t> mask = {}, Threads threads = 1,
                                          Stores stores = Stores::automatic);
SIMDROP_API void residual_dropout_forward(const Dropout& dropout, MatrixView<const bfloat16> x,
                                          MatrixView<const bfloat16> residual,
                                          MatrixView<bfloat16> y, std::span<std::uint8_t> mask = {},
                                          Threads threads = 1, Stores stores = Stores::automatic);
SIMDROP_API void residual_dropout_forward(const Dropout& dropout, MatrixView<const float16> x,
                                          MatrixView<const float16> residual, MatrixView<float16> y,
                                          std::span<std::uint8_t> mask = {}, Threads threads = 1,
                                          Stores stores = Stores::automatic);
///@}

///@{
/// The same with the caller's mask bits instead of drawn ones. With keep_prob 0 everything is
/// dropped, whatever the bits say.
SIMDROP_API void residual_dropout_forward(double keep_prob, std::span<const std::uint8_t> mask,
                                          ConstMatrix x, ConstMatrix residual, Matrix y,
                                          Threads threads = 1, Stores stores = Stores::automatic);
SIMDROP_API void residual_dropout_forward(double keep_prob, std::span<const std::uint8_t> mask,
                                          MatrixView<const double> x,
                                          MatrixView<const double> residual, MatrixView<double> y,
                                          Threads threads = 1, Stores stores = Stores::automatic);
SIMDROP_API void residual_dropout_forward(double keep_prob, std::span<const std::uint8_t> mask,
                                          MatrixView<const bfloat16> x,
                                          MatrixView<const bfloat16> residual,
                                          MatrixView<bfloat16> y, Threads threads = 1,
                                          Stores stores = Stores::automatic);
SIMDROP_API void residual_dropout_forward(double keep_prob, std::span<const std::uint8_t> mask,
                                          MatrixView<const float16> x,
                                          MatrixView<const float16> residual, MatrixView<float16> y,
                                          Threads threads = 1, Stores stores = Stores::automatic);
///@}

///@{
/// One pass over a layer's pre-activations: z = x + bias; y = kept and not z <= 0 ? z * scale : 0.
/// For every z but NaN that is the textbook's relu, then dropout; a kept NaN stays NaN, so that
/// divergence is seen. -0 gives +0. bias: cols elements, added to each row, or empty for none.
SIMDROP_API void bias_relu_dropout_forward(const Dropout& dropout, ConstMatrix x,
                                           std::span<const float> bias, Matrix y,
                                           std::span<std::uint8_t> mask = {}, Threads threads = 1,
                                           Stores stores = Stores::automatic);
SIMDROP_API void bias_relu_dropout_forward(const Dropout& dropout, MatrixView<const double> x,
                                           std::span<const double> bias, MatrixView<double> y,
                                           std::span<std::uint8_t> mask = {}, Threads threads = 1,
                                           Stores stores = Stores::automatic);
SIMDROP_API void bias_relu_dropout_forward(const Dropout& dropout, MatrixView<const bfloat16> x,
                                           std::span<const bfloat16> bias, MatrixView<bfloat16> y,
                                           std::span<std::uint8_t> mask = {}, Threads threads = 1,
                                           Stores stores = Stores::automatic);
SIMDROP_API void bias_relu_dropout_forward(const Dropout& dropout, MatrixView<const float16> x,
                                           std::span<const float16> bias, MatrixView<float16> y,
                                           std::span<std::uint8_t> mask = {}, Threads threads = 1,
                                           Stores stores = Stores::automatic);
///@}

///@{
/// The same with the caller's mask bits instead of drawn ones.
SIMDROP_API void bias_relu_dropout_forward(double keep_prob, std::span<const std::uint8_t> mask,
                                           ConstMatrix x, std::span<const float> bias, Matrix y,
                                           Threads threads = 1, Stores stores = Stores::automatic);
SIMDROP_API void bias_relu_dropout_forward(double keep_prob, std::span<const std::uint8_t> mask,
                                           MatrixView<const double> x, std::span<const double> bias,
                                           MatrixView<double> y, Threads threads = 1,
                                           Stores stores = Stores::automatic);
SIMDROP_API void bias_relu_dropout_forward(double keep_prob, std::span<const std::uint8_t> mask,
                                           MatrixView<const bfloat16> x,
                                           std::span<const bfloat16> bias, MatrixView<bfloat16> y,
                                           Threads threads = 1, Stores stores = Stores::automatic);
SIMDROP_API void bias_relu_dropout_forward(double keep_prob, std::span<const std::uint8_t> mask,
                                           MatrixView<const float16> x,
                                           std::span<const float16> bias, MatrixView<float16> y,
                                           Threads threads = 1, Stores stores = Stores::automatic);
///@}

///@{
/// dx = y > 0 ? dy * scale : 0, where y is what bias_relu_dropout_forward wrote: y > 0 says both
/// that the unit was kept and that ReLU passed, so a ReLU layer stores no mask. dx may be dy or y.
/// Where y is NaN, dx is 0. With keep_prob 0, dx is +0, whatever y and dy are.
SIMDROP_API void relu_dropout_backward(double keep_prob, ConstMatrix y, ConstMatrix dy, Matrix dx,
                                       Threads threads = 1, Stores stores = Stores::automatic);
SIMDROP_API void relu_dropout_backward(double keep_prob, MatrixView<const double> y,
                                       MatrixView<const double> dy, MatrixView<double> dx,
                                       Threads threads = 1, Stores stores = Stores::automatic);
SIMDROP_API void relu_dropout_backward(double keep_prob, MatrixView<const bfloat16> y,
                                       MatrixView<const bfloat16> dy, MatrixView<bfloat16> dx,
                                       Threads threads = 1, Stores stores = Stores::automatic);
SIMDROP_API void relu_dropout_backward(double keep_prob, MatrixView<const float16> y,
                                       MatrixView<const float16> dy, MatrixView<float16> dx,
                                       Threads threads = 1, Stores stores = Stores::automatic);
///@}

///@{
/// The same with options by name, for all four types of elements: what the function above does
/// that has the same parameters before its mask, threads and stores.
template <class X, class Y>
requires detail::Matrices<Y, const X&>
void dropout_forward(const Dropout& dropout, const X& x, Y&& y, const DropoutOptions& options) {
  dropout_forward(dropout, x, std::forward<Y>(y), options.mask, options.threads, options.stores);
}
template <class DY, class DX>
requires detail::Matrices<DX, const DY&>
void dropout_backward(const Dropout& dropout, const DY& dy, DX&& dx, const RunOptions& options) {
  dropout_backward(dropout, dy, std::forward<DX>(dx), options.threads, options.stores);
}
template <class DY, class DX>
requires detail::Matrices<DX, const DY&>
void dropout_backward(double keep_prob, std::span<const std::uint8_t> mask, const DY& dy, DX&& dx,
                      const RunOptions& options) {
  dropout_backward(keep_prob, mask, dy, std::forward<DX>(dx), options.threads, options.stores);
}
template <class X, class Residual, class Y>
requires detail::Matrices<Y, const X&, const Residual&>
void residual_dropout_forward(const Dropout& dropout, const X& x, const Residual& residual, Y&& y,
                              const DropoutOptions& options) {
  residual_dropout_forward(dropout, x, residual, std::forward<Y>(y), options.mask, options.threads,
                           options.stores);
}
template <class X, class Residual, class Y>
requires detail::Matrices<Y, const X&, const Residual&>
void residual_dropout_forward(double keep_prob, std::span<const std::uint8_t> mask, const X& x,
                              const Residual& residual, Y&& y, const RunOptions& options) {
  residual_dropout_forward(keep_prob, mask, x, residual, std::forward<Y>(y), options.threads,
                           options.stores);
}
template <class X, class Y>
requires detail::Matrices<Y, const X&>
void bias_relu_dropout_forward(const Dropout& dropout, const X& x,
                               std::span<const detail::ElementOf<const X&>> bias, Y&& y,
                               const DropoutOptions& options) {
  bias_relu_dropout_forward(dropout, x, bias, std::forward<Y>(y), options.mask, options.threads,
                            options.stores);
}
template <class X, class Y>
requires detail::Matrices<Y, const X&>
void bias_relu_dropout_forward(double keep_prob, std::span<const std::uint8_t> mask, const X& x,
                               std::span<const detail::ElementOf<const X&>> bias, Y&& y,
                               const RunOptions& options) {
  bias_relu_dropout_forward(keep_prob, mask, x, bias, std::forward<Y>(y), options.threads,
                            options.stores);
}
template <class Y, class DY, class DX>
requires detail::Matrices<DX, const Y&, const DY&>
void relu_dropout_backward(double keep_prob, const Y& y, const DY& dy, DX&& dx,
                           const RunOptions& options) {
  relu_dropout_backward(keep_prob, y, dy, std::forward<DX>(dx), options.threads, options.stores);
}
///@}

///@{
/// The same from a Dropout and a mask, as that which it drew: the function above of a mask with
/// keep_prob = dropout.keep_prob, which is all that is used of `dropout`. That is a
/// Dropout by name: braces are the keep_prob of the functions above.
template <std::same_as<Dropout> D, class DY, class DX>
requires detail::Matrices<DX, const DY&>
void dropout_backward(const D& dropout, std::span<const std::uint8_t> mask, const DY& dy, DX&& dx,
                      const RunOptions& options = {}) {
  dropout_backward(dropout.keep_prob, mask, dy, std::forward<DX>(dx), options);
}
template <std::same_as<Dropout> D, class X, class Residual, class Y>
requires detail::Matrices<Y, const X&, const Residual&>
void residual_dropout_forward(const D& dropout, std::span<const std::uint8_t> mask, const X& x,
                              const Residual& residual, Y&& y, const RunOptions& options = {}) {
  residual_dropout_forward(dropout.keep_prob, mask, x, residual, std::forward<Y>(y), options);
}
template <std::same_as<Dropout> D, class X, class Y>
requires detail::Matrices<Y, const X&>
void bias_relu_dropout_forward(const D& dropout, std::span<const std::uint8_t> mask, const X& x,
                               std::span<const detail::ElementOf<const X&>> bias, Y&& y,
                               const RunOptions& options = {}) {
  bias_relu_dropout_forward(dropout.keep_prob, mask, x, bias, std::forward<Y>(y), options);
}
///@}

}  // namespace simdrop
