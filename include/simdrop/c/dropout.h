/**
 * @file
 * Fused dropout kernels. Include simdrop/simdrop.h, which says what holds for every function.
 *
 * Common to the functions below:
 * - dtype: SIMDROP_F32, SIMDROP_F64, SIMDROP_BF16 or SIMDROP_F16, of all matrices and the bias.
 * - All matrices are rows x cols. Element (r, c) is element dropout->first + r * cols + c of the
 *   stream, modulo 2^64, and bit r * cols + c of a mask. Which elements are kept does not depend
 *   on dtype.
 * - The output may be the input itself (in place). Any other overlap of what is written, a mask
 *   that is received too, with another argument is an error. What is only read may overlap.
 * - Arithmetic is in double for F64, else in float, each operation rounded to nearest even; scale =
 *   1 / keep_prob, rounded to that type, of which it is at most the largest finite number. BF16 and
 *   F16 are widened exactly, and rounded once more when they are stored.
 * - Dropped means exactly +0, whatever the input, NaN and Inf too. A kept NaN stays a quiet NaN.
 * - dropout: not NULL. exec: may be NULL. Nothing is allocated.
 * Source: Srivastava et al., "Dropout", JMLR 15 (2014), in the inverted form of the textbooks.
 */
#ifndef SIMDROP_C_DROPOUT_H
#define SIMDROP_C_DROPOUT_H

#include "simdrop/api.h"
#include "simdrop/c/random.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * y = kept ? x * scale : 0.
 * @param mask receives the mask bits, simdrop_mask_bytes(rows * cols) bytes; NULL: they are not
 *     stored.
 */
SIMDROP_API simdrop_status simdrop_dropout_forward(const simdrop_dropout* dropout,
                                                   simdrop_dtype dtype, int64_t rows, int64_t cols,
                                                   const void* x, int64_t x_ld, void* y,
                                                   int64_t y_ld, uint8_t* mask,
                                                   const simdrop_exec* exec, simdrop_error* error);

/** dx = kept ? dy * scale : 0, with the mask recomputed from the stream: nothing was stored. */
SIMDROP_API simdrop_status simdrop_dropout_backward(const simdrop_dropout* dropout,
                                                    simdrop_dtype dtype, int64_t rows, int64_t cols,
                                                    const void* dy, int64_t dy_ld, void* dx,
                                                    int64_t dx_ld, const simdrop_exec* exec,
                                                    simdrop_error* error);

/**
 * dx = kept ? dy * scale : 0, from stored mask bits. With keep_prob 0 everything is dropped,
 * whatever the bits say.
 * @param mask simdrop_mask_bytes(rows * cols) bytes.
 */
SIMDROP_API simdrop_status simdrop_dropout_backward_from_mask(
    double keep_prob, const uint8_t* mask, simdrop_dtype dtype, int64_t rows, int64_t cols,
    const void* dy, int64_t dy_ld, void* dx, int64_t dx_ld, const simdrop_exec* exec,
    simdrop_error* error);

/**
 * y = residual + (kept ? x * scale : 0), rounded after the product and after the sum. y may be x or
 * residual. A dropped element gives its residual, but +0 for -0. Backward: the residual's gradient
 * is dy, that of x simdrop_dropout_backward().
 * @param mask as in simdrop_dropout_forward().
 */
SIMDROP_API simdrop_status simdrop_residual_dropout_forward(
    const simdrop_dropout* dropout, simdrop_dtype dtype, int64_t rows, int64_t cols, const void* x,
    int64_t x_ld, const void* residual, int64_t residual_ld, void* y, int64_t y_ld, uint8_t* mask,
    const simdrop_exec* exec, simdrop_error* error);

/** The same with the caller's mask bits, simdrop_mask_bytes(rows * cols) bytes. */
SIMDROP_API simdrop_status simdrop_residual_dropout_forward_from_mask(
    double keep_prob, const uint8_t* mask, simdrop_dtype dtype, int64_t rows, int64_t cols,
    const void* x, int64_t x_ld, const void* residual, int64_t residual_ld, void* y, int64_t y_ld,
    const simdrop_exec* exec, simdrop_error* error);

/**
 * z = x + bias; y = kept and not z <= 0 ? z * scale : 0, in one pass: relu, then dropout, but for
 * a kept NaN, which stays NaN.
 * @param bias cols elements, added to each row; NULL: none.
 * @param mask as in simdrop_dropout_forward().
 */
SIMDROP_API simdrop_status simdrop_bias_relu_dropout_forward(
    const simdrop_dropout* dropout, simdrop_dtype dtype, int64_t rows, int64_t cols, const void* x,
    int64_t x_ld, const void* bias, void* y, int64_t y_ld, uint8_t* mask, const simdrop_exec* exec,
    simdrop_error* error);

/** The same with the caller's mask bits, simdrop_mask_bytes(rows * cols) bytes. */
SIMDROP_API simdrop_status simdrop_bias_relu_dropout_forward_from_mask(
    double keep_prob, const uint8_t* mask, simdrop_dtype dtype, int64_t rows, int64_t cols,
    const void* x, int64_t x_ld, const void* bias, void* y, int64_t y_ld, const simdrop_exec* exec,
    simdrop_error* error);

/**
 * dx = y > 0 ? dy * scale : 0, where y is what simdrop_bias_relu_dropout_forward() wrote: y > 0
 * says that the unit was kept and that ReLU passed, so no mask is needed. dx may be dy or y. With
 * keep_prob 0, dx is +0, whatever y and dy are.
 */
SIMDROP_API simdrop_status simdrop_relu_dropout_backward(double keep_prob, simdrop_dtype dtype,
                                                         int64_t rows, int64_t cols, const void* y,
                                                         int64_t y_ld, const void* dy,
                                                         int64_t dy_ld, void* dx, int64_t dx_ld,
                                                         const simdrop_exec* exec,
                                                         simdrop_error* error);

#ifdef __cplusplus
}
#endif
#endif
