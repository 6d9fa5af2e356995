/**
 * @file
 * Networks in safetensors files, named and shaped as PyTorch saves them. Include simdrop/simdrop.h,
 * which says what holds for every function; simdrop/checkpoint.hpp says what a file holds.
 *
 * Paths are texts as the operating system takes them, ending with 0. System calls that a signal
 * interrupts are begun again; a thread that is cancelled meanwhile ends after the call.
 */
#ifndef SIMDROP_C_FILES_H
#define SIMDROP_C_FILES_H

#include "simdrop/api.h"
#include "simdrop/c/optimizer.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Writes a network, and where training stands if there is an optimizer. Whatever happens, the path
 * is the old file or the new one.
 * @param optimizer NULL: weights alone, which PyTorch's load_state_dict(strict=True) takes.
 * @return SIMDROP_FILE_ERROR with the reason (a reason that begins with "was written" alone says
 *     that the path is the new file, of which the disk may lose the name);
 *     SIMDROP_INVALID_ARGUMENT if the optimizer is not for this network. Others may read these
 *     objects meanwhile.
 */
SIMDROP_API simdrop_status simdrop_mlp_save(const char* path, const simdrop_mlp* mlp,
                                            const simdrop_optimizer* optimizer,
                                            simdrop_error* error);

/** What may be said of a save. Zeros behind struct_size are the defaults. */
typedef struct simdrop_mlp_save_args {
  size_t struct_size;                 /**< sizeof(simdrop_mlp_save_args) */
  const simdrop_optimizer* optimizer; /**< default NULL: weights alone */
  /**
   * Default 0: wait until the file is on the disk. 1: do not; a loss of power soon after the call
   * may leave an empty or broken file where the old one was; a process that is killed still does
   * not. For file systems that refuse to sync ("can't be synced to the disk").
   */
  int32_t no_sync;
  int32_t reserved; /**< 0 */
} simdrop_mlp_save_args;

/**
 * Sets all defaults. Writes struct_size = sizeof(simdrop_mlp_save_args) bytes.
 * @return SIMDROP_INVALID_ARGUMENT for NULL or a size that no version had.
 */
SIMDROP_API simdrop_status simdrop_mlp_save_args_init(simdrop_mlp_save_args* args,
                                                      size_t struct_size, simdrop_error* error);

/**
 * simdrop_mlp_save() with these arguments.
 * @param args not NULL.
 */
SIMDROP_API simdrop_status simdrop_mlp_save_run(const char* path, const simdrop_mlp* mlp,
                                                const simdrop_mlp_save_args* args,
                                                simdrop_error* error);

/** What lies between the layers of a file that simdrop_mlp_save() did not write. */
typedef int32_t simdrop_load_activation;
enum { SIMDROP_LOAD_ACTIVATION_NOT_GIVEN = 0, SIMDROP_LOAD_ACTIVATION_RELU = 1 };

/**
 * What the last layer of such a file computes, and the loss that trains it. No simdrop_loss has
 * these numbers: one that is given by mistake is an error.
 */
typedef int32_t simdrop_load_loss;
enum {
  SIMDROP_LOAD_LOSS_NOT_GIVEN = 0,
  SIMDROP_LOAD_LOSS_SIGMOID_BCE = 101,
  SIMDROP_LOAD_LOSS_SOFTMAX_CE = 102,
  SIMDROP_LOAD_LOSS_IDENTITY_MSE = 103
};

/** What the reader of a file tells, beside its path. Zeros behind struct_size are the defaults. */
typedef struct simdrop_mlp_load_args {
  size_t struct_size; /**< sizeof(simdrop_mlp_load_args) */
  /** What the file does not tell; its widths and loss are not used. NULL, the default: as
   * simdrop_mlp_config_init() sets it. */
  const simdrop_mlp_config* defaults;
  simdrop_load_activation activation; /**< default 0, not given: the file must tell it */
  simdrop_load_loss loss;             /**< default 0, not given: the file must tell it */
} simdrop_mlp_load_args;

/**
 * Sets all defaults. Writes struct_size = sizeof(simdrop_mlp_load_args) bytes.
 * @return SIMDROP_INVALID_ARGUMENT for NULL or a size that no version had.
 */
SIMDROP_API simdrop_status simdrop_mlp_load_args_init(simdrop_mlp_load_args* args,
                                                      size_t struct_size, simdrop_error* error);

/**
 * Reads a file of simdrop_mlp_save(), or one of a PyTorch Sequential of Linear layers. Nothing in
 * it is trusted. The latter holds weights alone: args, or its own metadata ("activation": "relu",
 * "loss": "sigmoid_bce", "softmax_ce" or "identity_mse"), must say its loss, and its activation if
 * it has several layers. load_checkpoint() of simdrop/checkpoint.hpp says more.
 * @param args not NULL.
 * @param mlp receives a network, which belongs to the caller.
 * @param optimizer receives an optimizer, which belongs to the caller, or NULL if there is none in
 *     the file. May be NULL.
 * @return SIMDROP_FILE_ERROR for a file that is not there, broken, of another kind of network, that
 *     does not tell what must be told, or tells something else than args.
 */
SIMDROP_API simdrop_status simdrop_mlp_load_run(const char* path, const simdrop_mlp_load_args* args,
                                                simdrop_mlp** mlp, simdrop_optimizer** optimizer,
                                                simdrop_error* error);

/**
 * simdrop_mlp_load_run() with these defaults, and neither activation nor loss given.
 * @param defaults not NULL.
 */
SIMDROP_API simdrop_status simdrop_mlp_load(const char* path, const simdrop_mlp_config* defaults,
                                            simdrop_mlp** mlp, simdrop_optimizer** optimizer,
                                            simdrop_error* error);

#ifdef __cplusplus
}
#endif
#endif
