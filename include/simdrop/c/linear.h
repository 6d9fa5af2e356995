/**
 * @file
 * The fused linear layer: matrix products that carry bias, ReLU, dropout and their gradients.
 * Include simdrop/simdrop.h, which says what holds for every function.
 *
 * Common to the functions below:
 * - dtype: SIMDROP_F32 or SIMDROP_F64. Arithmetic is in that type; a sum over k elements is off by
 *   at most about k eps of the sum of the magnitudes.
 * - Activations are batch x in or batch x out, weights out x in, as PyTorch stores them.
 * - Outputs overlap no other argument: nothing is in place.
 * - NaN and Inf spread as IEEE 754 says; ReLU keeps NaN; a dropped element is exactly +0.
 * - workspace: not NULL; a call may make it grow, repeated calls allocate nothing. exec: may be
 *   NULL.
 * Source: Goto and van de Geijn, "Anatomy of high-performance matrix multiplication", ACM TOMS 34
 * (2008).
 */
#ifndef SIMDROP_C_LINEAR_H
#define SIMDROP_C_LINEAR_H

#include "simdrop/api.h"
#include "simdrop/c/random.h"

#ifdef __cplusplus
extern "C" {
#endif

/** What follows the bias. */
typedef int32_t simdrop_activation;
enum { SIMDROP_ACTIVATION_IDENTITY = 0, SIMDROP_ACTIVATION_RELU = 1 };

/** Scratch memory, of one call at a time. */
typedef struct simdrop_linear_workspace simdrop_linear_workspace;

/** Creates a workspace. It belongs to the caller. */
SIMDROP_API simdrop_status simdrop_linear_workspace_create(simdrop_linear_workspace** workspace,
                                                           simdrop_error* error);
/** Destroys it. NULL is nothing to destroy. */
SIMDROP_API void simdrop_linear_workspace_destroy(simdrop_linear_workspace* workspace);
/** Bytes that it holds now; 0 for NULL. */
SIMDROP_API int64_t simdrop_linear_workspace_bytes(const simdrop_linear_workspace* workspace);

/**
 * y = kept ? activation(x W^T + bias) / keep_prob : 0.
 * @param x batch x in. @param weights out x in. @param y batch x out.
 * @param bias out elements; NULL: none.
 * @param dropout element (r, c) of y is its element first + r * out + c, modulo 2^64; NULL: all
 *     are kept.
 * @param mask receives the mask bits of y, simdrop_mask_bytes(batch * out) bytes; NULL: not stored.
 */
SIMDROP_API simdrop_status simdrop_linear_forward(
    simdrop_dtype dtype, int64_t batch, int64_t in, int64_t out, const void* x, int64_t x_ld,
    const void* weights, int64_t weights_ld, const void* bias, simdrop_activation activation,
    const simdrop_dropout* dropout, void* y, int64_t y_ld, uint8_t* mask,
    simdrop_linear_workspace* workspace, const simdrop_exec* exec, simdrop_error* error);

/**
 * The arguments of simdrop_linear_forward(), each by its name. What is not set keeps the default
 * that simdrop_linear_forward_args_init() gave it.
 */
typedef struct simdrop_linear_forward_args {
  size_t struct_size;                  /**< sizeof(simdrop_linear_forward_args) */
  int64_t batch;                       /**< rows of x and y; default 0 */
  int64_t in;                          /**< inputs; default 0 */
  int64_t out;                         /**< outputs; default 0 */
  const void* x;                       /**< batch x in */
  int64_t x_ld;                        /**< 0, the default: in */
  const void* weights;                 /**< out x in */
  int64_t weights_ld;                  /**< 0, the default: in */
  const void* bias;                    /**< out elements; default NULL: none */
  const simdrop_dropout* dropout;      /**< default NULL: all are kept */
  void* y;                             /**< batch x out */
  int64_t y_ld;                        /**< 0, the default: out */
  uint8_t* mask;                       /**< receives the mask bits of y; default NULL: not stored */
  simdrop_linear_workspace* workspace; /**< must be given */
  const simdrop_exec* exec;            /**< default NULL: one thread */
  simdrop_dtype dtype;                 /**< default SIMDROP_F32 */
  simdrop_activation activation;       /**< default SIMDROP_ACTIVATION_IDENTITY */
} simdrop_linear_forward_args;

/**
 * Sets all defaults. Writes struct_size = sizeof(simdrop_linear_forward_args) bytes.
 * @return SIMDROP_INVALID_ARGUMENT for NULL or a size that no version had.
 */
SIMDROP_API simdrop_status simdrop_linear_forward_args_init(simdrop_linear_forward_args* args,
                                                            size_t struct_size,
                                                            simdrop_error* error);

/**
 * simdrop_linear_forward() of these arguments.
 * @param args not NULL.
 */
SIMDROP_API simdrop_status simdrop_linear_forward_run(const simdrop_linear_forward_args* args,
                                                      simdrop_error* error);

/**
 * dx = dy W, and with `stored`: stored > 0 ? dx / keep_prob : 0, the gradient behind the ReLU and
 * the dropout of the layer before; with `stored` and keep_prob 0 it is +0, whatever the rest is.
 * @param dy batch x out. @param weights out x in. @param dx batch x in.
 * @param stored batch x in, what that layer wrote; NULL: none, and stored_ld and keep_prob do not
 *     matter, but must be allowed ones (0 and 1 are).
 */
SIMDROP_API simdrop_status simdrop_linear_backward_input(
    simdrop_dtype dtype, int64_t batch, int64_t in, int64_t out, const void* dy, int64_t dy_ld,
    const void* weights, int64_t weights_ld, const void* stored, int64_t stored_ld,
    double keep_prob, void* dx, int64_t dx_ld, simdrop_linear_workspace* workspace,
    const simdrop_exec* exec, simdrop_error* error);

/**
 * dw = alpha dy^T x, db = alpha (sum of the rows of dy); both are added to what dw and db hold if
 * `accumulate` is not 0.
 * @param dy batch x out. @param x batch x in. @param dw out x in.
 * @param db out elements; NULL: none.
 */
SIMDROP_API simdrop_status simdrop_linear_backward_weights(
    simdrop_dtype dtype, int64_t batch, int64_t in, int64_t out, const void* dy, int64_t dy_ld,
    const void* x, int64_t x_ld, double alpha, int32_t accumulate, void* dw, int64_t dw_ld,
    void* db, simdrop_linear_workspace* workspace, const simdrop_exec* exec, simdrop_error* error);

#ifdef __cplusplus
}
#endif
#endif
