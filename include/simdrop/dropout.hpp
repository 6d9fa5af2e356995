// Fused dropout kernels, f32.
//
// Common to all of them:
// - Matrices are row-major views (matrix.hpp); a std::span is a matrix of one row. All arguments of
//   a call have the same rows and cols. Any length from 0, any alignment of float, any ld >= cols.
// - Output may be the input itself (same data and ld: in place). Otherwise outputs must overlap
//   no other argument.
// - Element (r, c) of a call is element dropout.first + r * cols + c of the stream, and bit
//   r * cols + c of a mask: masks are packed without regard to ld, mask_bytes(rows * cols) long.
// - scale = float(1 / keep_prob), multiplied where the textbook divides (at most 1 ulp apart).
// - Dropped means exactly +0, whatever the input: elements are selected, never multiplied by 0, so
//   a dropped Inf or NaN becomes +0. A kept NaN stays NaN, a kept -0 stays -0.
// - num_threads: at most so many OpenMP threads; the result does not depend on it, bit for bit.
// - Thread-safe, no allocation, no state. Nothing outside the rows' cols elements is read or
//   written.
// - Throws std::invalid_argument naming the argument, its value and what was allowed (keep_prob NaN
//   or outside [0, 1], shapes that differ, ld < cols, null data, wrong mask size,
//   num_threads < 1); then nothing is written.
// Source: Srivastava et al., "Dropout", JMLR 15 (2014), in the inverted form of the textbooks.
#pragma once

#include <cstdint>
#include <span>

#include "simdrop/mask.hpp"
#include "simdrop/matrix.hpp"

namespace simdrop {

/// y = kept ? x * scale : 0. Writes the mask bits too if `mask` is not empty.
void dropout_forward(const Dropout& dropout, ConstMatrix x, Matrix y,
                     std::span<std::uint8_t> mask = {}, int num_threads = 1);

/// dx = kept ? dy * scale : 0, with the mask recomputed from the stream: nothing was stored.
void dropout_backward(const Dropout& dropout, ConstMatrix dy, Matrix dx, int num_threads = 1);

/// dx = kept ? dy * scale : 0, from stored mask bits. With keep_prob 0 everything is dropped,
/// whatever the bits say.
void dropout_backward(double keep_prob, std::span<const std::uint8_t> mask, ConstMatrix dy,
                      Matrix dx, int num_threads = 1);

/// One pass over a layer's pre-activations: z = x + bias; y = kept and not z <= 0 ? z * scale : 0.
/// For every z but NaN that is the textbook's relu, then dropout; a kept NaN stays NaN, so that
/// divergence is seen. -0 gives +0. bias: cols elements, added to each row, or empty for none.
void bias_relu_dropout_forward(const Dropout& dropout, ConstMatrix x, std::span<const float> bias,
                               Matrix y, std::span<std::uint8_t> mask = {}, int num_threads = 1);

/// The same with the caller's mask bits instead of drawn ones.
void bias_relu_dropout_forward(double keep_prob, std::span<const std::uint8_t> mask, ConstMatrix x,
                               std::span<const float> bias, Matrix y, int num_threads = 1);

/// dx = y > 0 ? dy * scale : 0, where y is what bias_relu_dropout_forward returned: y > 0 says both
/// that the unit was kept and that ReLU passed, so a ReLU layer stores no mask. dx may be dy or
/// y. y NaN compares false: dx = 0. keep_prob 0: y is all 0, and so is dx.
void relu_dropout_backward(double keep_prob, ConstMatrix y, ConstMatrix dy, Matrix dx,
                           int num_threads = 1);

}  // namespace simdrop
