/**
 * @file
 * Optimisers of the network: SGD, Adam and AdamW, as PyTorch defines them. Include
 * simdrop/simdrop.h, which says what holds for every function.
 */
#ifndef SIMDROP_C_OPTIMIZER_H
#define SIMDROP_C_OPTIMIZER_H

#include "simdrop/api.h"
#include "simdrop/c/mlp.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Which rule an optimiser follows. */
typedef int32_t simdrop_optimizer_kind;
enum { SIMDROP_SGD = 0, SIMDROP_ADAM = 1, SIMDROP_ADAMW = 2 };

/**
 * Hyperparameters; all of them finite. simdrop/optimizer.hpp has the formulas and sources. All but
 * max_norm must be in their ranges when rounded to float too; max_norm must not be 0 then.
 */
typedef struct simdrop_optimizer_config {
  size_t struct_size;   /**< sizeof(simdrop_optimizer_config) */
  double learning_rate; /**< >= 0; default 0.01 */
  double momentum;      /**< SGD: in [0, 1); default 0 */
  double weight_decay;  /**< >= 0; default 0 */
  double beta1;         /**< Adam, AdamW: in [0, 1); default 0.9 */
  double beta2;         /**< Adam, AdamW: in [0, 1); default 0.999 */
  double epsilon;       /**< Adam, AdamW: > 0; 0 and the default: 1e-8 */
  double max_norm;      /**< most that the norm of a row of weights may be; 0, default: none */
  simdrop_optimizer_kind kind; /**< default SIMDROP_SGD */
  int32_t nesterov;            /**< 1: SGD with momentum > 0 looks ahead; default 0 */
} simdrop_optimizer_config;

/**
 * Sets all defaults. Writes struct_size = sizeof(simdrop_optimizer_config) bytes.
 * @return SIMDROP_INVALID_ARGUMENT for NULL or a size that no version had.
 */
SIMDROP_API simdrop_status simdrop_optimizer_config_init(simdrop_optimizer_config* config,
                                                         size_t struct_size, simdrop_error* error);

/**
 * Creates an optimizer, with zero state, for a network's parameters, or those of another of the
 * same widths. It belongs to the caller, and does not refer to the network.
 */
SIMDROP_API simdrop_status simdrop_optimizer_create(const simdrop_optimizer_config* config,
                                                    const simdrop_mlp* mlp,
                                                    simdrop_optimizer** optimizer,
                                                    simdrop_error* error);
/** Destroys it. NULL is nothing to destroy. */
SIMDROP_API void simdrop_optimizer_destroy(simdrop_optimizer* optimizer);

/** Sets the learning rate from the next step on: >= 0, and finite as a float. */
SIMDROP_API simdrop_status simdrop_optimizer_set_learning_rate(simdrop_optimizer* optimizer,
                                                               double learning_rate,
                                                               simdrop_error* error);
/** What it was created with, and the learning rate of now. The caller sets config->struct_size. */
SIMDROP_API simdrop_status simdrop_optimizer_get_config(const simdrop_optimizer* optimizer,
                                                        simdrop_optimizer_config* config,
                                                        simdrop_error* error);
/** Steps begun so far; 0 for NULL. */
SIMDROP_API uint64_t simdrop_optimizer_step_count(const simdrop_optimizer* optimizer);

#ifdef __cplusplus
}
#endif
#endif
