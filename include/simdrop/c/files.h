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

/**
 * What may be said of a save. What is not set keeps the default that simdrop_mlp_save_args_init()
 * gave it.
 */
typedef struct simdrop_mlp_save_args {
  size_t struct_size;                 /**< sizeof(simdrop_mlp_save_args) */
  const simdrop_optimizer* optimizer; /**< default NULL: weights alone */
  /**
   * Default 1: wait until the file is on the disk. 0: a loss of power soon after the call may leave
   * an empty or broken file where the old one was; a process that is killed still does not. For
   * file systems that refuse to sync ("can't be synced to the disk").
   */
  int32_t sync;
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

/**
 * Reads such a file, or one of a PyTorch Sequential of Linear layers. Nothing in it is trusted.
 * @param defaults what the file does not tell; its widths are not used. Not NULL.
 * @param mlp receives a network, which belongs to the caller.
 * @param optimizer receives an optimizer, which belongs to the caller, or NULL if there is none in
 *     the file. May be NULL.
 * @return SIMDROP_FILE_ERROR for a file that is not there, broken, or of another kind of network.
 */
SIMDROP_API simdrop_status simdrop_mlp_load(const char* path, const simdrop_mlp_config* defaults,
                                            simdrop_mlp** mlp, simdrop_optimizer** optimizer,
                                            simdrop_error* error);

#ifdef __cplusplus
}
#endif
#endif
