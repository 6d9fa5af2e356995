/**
 * @file
 * A multi-layer perceptron with dropout: Linear, ReLU, Dropout hidden layers, trained on the CPU.
 * Include simdrop/simdrop.h, which says what holds for every function; simdrop/mlp.hpp says more of
 * what is computed.
 *
 * Common to the functions below:
 * - Layers are counted from 1; layer 0 is the input. Layer l has a bias of widths[l] values, and
 *   weights of widths[l] x widths[l-1], as PyTorch stores them. All matrices are float; activations
 *   are batch x features.
 * - exec: who runs this call alone; NULL: what the network was created with.
 * - Batches, targets and outputs must not overlap memory of the network that simdrop_mlp_tensor()
 *   shows: a call would overwrite what it reads. It is an error. (The x of a prediction may.)
 * - Row and sample numbers, and the elements of streams that they stand for, are counted modulo
 *   2^64, where nothing else is said.
 * - NaN in inputs or weights spreads as IEEE 754 says (ReLU keeps it).
 * - A network may be used by two calls at once only if both take it as const. A simdrop_predictor
 *   for each thread lets them predict with one network.
 * - After the first call of each kind, forward, backward, train_step and the predictions allocate
 *   nothing.
 */
#ifndef SIMDROP_C_MLP_H
#define SIMDROP_C_MLP_H

#include "simdrop/api.h"
#include "simdrop/c/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A network. */
typedef struct simdrop_mlp simdrop_mlp;
/** State of training beside the network; see optimizer.h. */
typedef struct simdrop_optimizer simdrop_optimizer;

/** What the last layer computes, and the loss that trains it. */
typedef int32_t simdrop_loss;
enum {
  SIMDROP_LOSS_SIGMOID_BCE = 0, /**< values in [0, 1]; the sum over outputs, the mean over rows */
  SIMDROP_LOSS_SOFTMAX_CE = 1,  /**< labels, of 2 to 256 outputs; the mean over rows */
  SIMDROP_LOSS_IDENTITY_MSE = 2 /**< values; the mean over outputs and rows */
};

/** How weights begin: N(0, 2 / fan_in), or uniform by Glorot and Bengio. */
typedef int32_t simdrop_init;
enum { SIMDROP_INIT_HE = 0, SIMDROP_INIT_XAVIER = 1 };

/** What dropout drops: units of each example, or of groups of examples (Graham et al.). */
typedef int32_t simdrop_dropout_unit;
enum { SIMDROP_UNIT_ELEMENT = 0, SIMDROP_UNIT_NEURON = 1 };

/** What a network is made of. Arrays are copied. */
typedef struct simdrop_mlp_config {
  size_t struct_size;      /**< sizeof(simdrop_mlp_config) */
  const int64_t* widths;   /**< units of the input, each hidden layer and the output, each >= 1 */
  int64_t num_widths;      /**< >= 2 */
  const double* keep_prob; /**< of each hidden layer; NULL: 1 */
  int64_t num_keep_prob;   /**< 0 or num_widths - 2 */
  double input_keep_prob;  /**< default 1 */
  uint64_t seed;           /**< of the first weights and of the masks; default 0 */
  /** Most rows of a forward or train_step; 0 and the default: 256. Memory for them is only touched
   * as far as batches use it. */
  int64_t max_batch;
  /** With UNIT_NEURON: so many examples share a mask; 0, the default: all rows of a call. With it
   * a first_row above 2^64 - rows is an error. */
  int64_t dropout_group;
  const simdrop_executor* executor; /**< default NULL: the library's. Copied, but for its context */
  simdrop_dropout_unit dropout_unit; /**< default SIMDROP_UNIT_ELEMENT */
  /** 1: with UNIT_NEURON and dropout_group 0, steps leave alone what was dropped. Default 0. */
  int32_t lazy_updates;
  simdrop_loss loss;      /**< default SIMDROP_LOSS_SOFTMAX_CE */
  simdrop_init init;      /**< default SIMDROP_INIT_HE */
  int32_t num_threads;    /**< as in simdrop_exec; default 1 */
  int32_t record;         /**< 1: Z, masks and dA can be read; default 0 */
  int32_t keep_gradients; /**< 1: train_step leaves dW and db; default 0 */
  int32_t reserved;       /**< 0 */
} simdrop_mlp_config;

/**
 * Sets all defaults; widths are left for the caller. Writes struct_size =
 * sizeof(simdrop_mlp_config) bytes.
 * @return SIMDROP_INVALID_ARGUMENT for NULL or a size that no version had.
 */
SIMDROP_API simdrop_status simdrop_mlp_config_init(simdrop_mlp_config* config, size_t struct_size,
                                                   simdrop_error* error);

/** Creates a network with its first weights; it belongs to the caller. */
SIMDROP_API simdrop_status simdrop_mlp_create(const simdrop_mlp_config* config, simdrop_mlp** mlp,
                                              simdrop_error* error);
/**
 * Creates an independent network of the same configuration with the same weights, biases,
 * keep_probs and injected masks, as for early stopping; it belongs to the caller. What
 * forward and backward kept is not copied. Others may read `mlp` meanwhile.
 */
SIMDROP_API simdrop_status simdrop_mlp_clone(const simdrop_mlp* mlp, simdrop_mlp** clone,
                                             simdrop_error* error);
/** Destroys it. NULL is nothing to destroy. */
SIMDROP_API void simdrop_mlp_destroy(simdrop_mlp* mlp);

/**
 * What the network was created with, and keep_prob as simdrop_mlp_set_keep_prob() left it. The
 * caller sets config->struct_size. The arrays belong to the network; so does the executor.
 */
SIMDROP_API simdrop_status simdrop_mlp_get_config(const simdrop_mlp* mlp,
                                                  simdrop_mlp_config* config, simdrop_error* error);
/** The number of weights and biases; 0 for NULL. */
SIMDROP_API int64_t simdrop_mlp_num_parameters(const simdrop_mlp* mlp);
/** Bytes for packed operands, beside activations, gradients and masks; 0 for NULL. */
SIMDROP_API int64_t simdrop_mlp_workspace_bytes(const simdrop_mlp* mlp);

/** What can be looked at; see simdrop_mlp_tensor(). */
typedef int32_t simdrop_tensor_kind;
enum {
  SIMDROP_TENSOR_WEIGHTS = 0, /**< layers 1 to the last; may be written */
  SIMDROP_TENSOR_BIAS = 1,    /**< one row; layers 1 to the last; may be written */
  SIMDROP_TENSOR_Z = 2,       /**< W A_prev + b; needs config.record */
  SIMDROP_TENSOR_A = 3,       /**< after dropout; layer 0 is the input as used */
  SIMDROP_TENSOR_MASK = 4,    /**< one row of bytes; all layers but the last; needs record */
  SIMDROP_TENSOR_DA = 5,      /**< dA after mask and scale; hidden layers; needs record */
  SIMDROP_TENSOR_DZ = 6,
  SIMDROP_TENSOR_DW = 7, /**< dZ^T A_prev / batch */
  SIMDROP_TENSOR_DB = 8  /**< one row; the sum of dZ / batch */
};

/** Memory of an object, to look at. */
typedef struct simdrop_tensor {
  size_t struct_size;  /**< sizeof(simdrop_tensor), set by the caller */
  void* data;          /**< element (0, 0); it belongs to the object */
  int64_t rows;        /**< number of rows */
  int64_t cols;        /**< elements of a row */
  int64_t ld;          /**< elements from one row to the next */
  simdrop_dtype dtype; /**< SIMDROP_F32, or SIMDROP_U8 for a mask's bytes */
  int32_t reserved;    /**< 0 */
} simdrop_tensor;

/**
 * Shows a parameter, or an intermediate of the last forward and backward. Only weights and biases
 * may be written to: between calls, but not between a forward and its backward. Parameters stay
 * where they are as long as the network lives; the rest is valid until the next call that computes
 * it. (A of layer 0 may be the caller's own x. With UNIT_NEURON, A and DZ of all layers but the
 * last need record too.)
 * @return SIMDROP_INVALID_STATE if it was not computed, or not kept.
 */
SIMDROP_API simdrop_status simdrop_mlp_tensor(simdrop_mlp* mlp, simdrop_tensor_kind kind,
                                              int64_t layer, simdrop_tensor* tensor,
                                              simdrop_error* error);

/** Changes keep_prob of hidden layer `layer` (or of the input: 0), from the next forward on. */
SIMDROP_API simdrop_status simdrop_mlp_set_keep_prob(simdrop_mlp* mlp, int64_t layer,
                                                     double keep_prob, simdrop_error* error);

/**
 * Makes every following forward use these bits for `layer` (0 or a hidden layer). Unit c of row r,
 * or with UNIT_NEURON of the r-th group of rows, has bit r * widths[layer] + c. Copied.
 * @param bits size bytes. Without any, back to drawn masks.
 * @param size simdrop_mask_bytes(R * widths[layer]), R = max_batch, or with UNIT_NEURON the groups
 *     that max_batch rows may touch; or 0, then bits may be NULL or not.
 */
SIMDROP_API simdrop_status simdrop_mlp_inject_mask(simdrop_mlp* mlp, int64_t layer,
                                                   const uint8_t* bits, int64_t size,
                                                   simdrop_error* error);

/** What a batch should give: labels or values, whichever the loss needs; the other is NULL. */
typedef struct simdrop_targets {
  size_t struct_size;    /**< sizeof(simdrop_targets) */
  const uint8_t* labels; /**< one for each row, less than the outputs */
  const float* values;   /**< rows x outputs */
  int64_t values_ld;     /**< of values; 0: outputs */
} simdrop_targets;

/**
 * Training forward: drops, and keeps what backward needs. Row r of layer l draws its mask from
 * stream (seed, simdrop_mlp_mask_stream_id(l, step)), elements (first_row + r) * widths[l] onwards.
 * @param rows 1 ... max_batch.
 * @param x rows x widths[0]; not copied: it must stay unchanged until after the backward.
 * The result is SIMDROP_TENSOR_A of the last layer.
 */
SIMDROP_API simdrop_status simdrop_mlp_forward(simdrop_mlp* mlp, int64_t rows, const float* x,
                                               int64_t x_ld, uint64_t step, uint64_t first_row,
                                               const simdrop_exec* exec, simdrop_error* error);

/**
 * Gradients for the rows of the last forward: SIMDROP_TENSOR_DW and DB.
 * @param loss receives the mean loss; may be NULL.
 * @return SIMDROP_INVALID_STATE without a forward before.
 */
SIMDROP_API simdrop_status simdrop_mlp_backward(simdrop_mlp* mlp, const simdrop_targets* targets,
                                                double* loss, const simdrop_exec* exec,
                                                simdrop_error* error);

/**
 * forward, backward and a step of the optimizer; masks are those of step
 * simdrop_optimizer_step_count().
 * @param optimizer one that was created for this network; must not be used by another call.
 * @param loss receives the mean loss before the update; may be NULL.
 */
SIMDROP_API simdrop_status simdrop_mlp_train_step(simdrop_mlp* mlp, int64_t rows, const float* x,
                                                  int64_t x_ld, const simdrop_targets* targets,
                                                  simdrop_optimizer* optimizer, uint64_t first_row,
                                                  double* loss, const simdrop_exec* exec,
                                                  simdrop_error* error);

/**
 * Inference: no dropout.
 * @param rows any number. @param x rows x widths[0].
 * @param out rows x outputs; must not overlap x.
 */
SIMDROP_API simdrop_status simdrop_mlp_predict(simdrop_mlp* mlp, int64_t rows, const float* x,
                                               int64_t x_ld, float* out, int64_t out_ld,
                                               const simdrop_exec* exec, simdrop_error* error);

/**
 * Monte Carlo dropout (Gal and Ghahramani): mean and unbiased variance of the outputs over passes
 * that drop as training does. Sample s of row r draws from stream (seed,
 * simdrop_mlp_sample_stream_id(l, first_sample + s)), elements (first_row + r) * widths[l] onwards.
 * @param samples >= 1; first_sample + samples <= 2^40.
 * @param mean rows x outputs. @param variance rows x outputs. Neither overlaps x or the other.
 */
SIMDROP_API simdrop_status simdrop_mlp_predict_monte_carlo(
    simdrop_mlp* mlp, int64_t rows, const float* x, int64_t x_ld, int64_t samples,
    uint64_t first_sample, uint64_t first_row, float* mean, int64_t mean_ld, float* variance,
    int64_t variance_ld, const simdrop_exec* exec, simdrop_error* error);

/**
 * Mean loss of predictions, rows x outputs as simdrop_mlp_predict() writes them, rows >= 1.
 * @param loss receives it; not NULL.
 */
SIMDROP_API simdrop_status simdrop_mlp_loss(const simdrop_mlp* mlp, int64_t rows,
                                            const float* predictions, int64_t predictions_ld,
                                            const simdrop_targets* targets, double* loss,
                                            simdrop_error* error);

/** The stream id of the mask of `layer` in training step `step` (< 2^40), for bernoulli_mask. */
SIMDROP_API simdrop_status simdrop_mlp_mask_stream_id(int64_t layer, uint64_t step,
                                                      uint64_t* stream_id, simdrop_error* error);
/** The stream id of the mask of `layer` in sample `sample` (< 2^40) of a Monte Carlo prediction. */
SIMDROP_API simdrop_status simdrop_mlp_sample_stream_id(int64_t layer, uint64_t sample,
                                                        uint64_t* stream_id, simdrop_error* error);

#ifdef __cplusplus
}
#endif
#endif
