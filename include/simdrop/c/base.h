/**
 * @file
 * What all of simdrop's C functions share: status, errors, threads, versions, instruction sets.
 * Include simdrop/simdrop.h, which says what holds for every function.
 */
#ifndef SIMDROP_C_BASE_H
#define SIMDROP_C_BASE_H

#include <stddef.h>
#include <stdint.h>

#include "simdrop/api.h"

#ifdef __cplusplus
extern "C" {
#endif

/** What became of a call: one of the constants below. New ones may be added. */
typedef int32_t simdrop_status;
enum {
  SIMDROP_OK = 0,
  SIMDROP_INVALID_ARGUMENT = 1, /**< an argument is out of its range; the message names it */
  SIMDROP_OUT_OF_MEMORY = 2,
  SIMDROP_FILE_ERROR = 3,    /**< a file cannot be read or written, or is not what it should be */
  SIMDROP_INVALID_STATE = 4, /**< the object lacks what is asked for, as backward before forward */
  SIMDROP_UNSUPPORTED = 5,   /**< SIMDROP_FORCE_ISA names what this build or CPU does not have */
  SIMDROP_INTERNAL = 6       /**< an error in simdrop or in an executor; outputs are unspecified */
};

/** A text of static storage for a status, in English; "unknown status" for others. Never fails. */
SIMDROP_API const char* simdrop_status_message(simdrop_status status);

/**
 * What went wrong. The caller owns it and sets struct_size (SIMDROP_ERROR_INIT does); one with
 * less than this structure's size is left alone. After a call that went well status is SIMDROP_OK
 * and message is empty.
 */
typedef struct simdrop_error {
  size_t struct_size;    /**< sizeof(simdrop_error) */
  simdrop_status status; /**< what the function returned */
  char message[256];     /**< ends with 0; a longer text has "..." for its middle */
} simdrop_error;

/** Initial value of a simdrop_error. */
#define SIMDROP_ERROR_INIT \
  { sizeof(simdrop_error), 0, "" }

/** The type of elements: one of the constants below. */
typedef int32_t simdrop_dtype;
enum {
  SIMDROP_F32 = 0,  /**< float */
  SIMDROP_F64 = 1,  /**< double */
  SIMDROP_BF16 = 2, /**< the upper half of a float, in 16 bits of native byte order */
  SIMDROP_F16 = 3,  /**< IEEE 754 binary16 */
  SIMDROP_U8 = 4    /**< bytes, as of a mask; no function computes on them */
};

/** How a call writes its output; see simdrop_exec. */
typedef int32_t simdrop_stores;
enum {
  SIMDROP_STORES_AUTOMATIC = 0, /**< streaming if the output has 16 MiB or more, else cached */
  SIMDROP_STORES_CACHED = 1,
  SIMDROP_STORES_STREAMING = 2 /**< around the caches */
};

/**
 * An application's own threads, to be used instead of the library's. `context` must live as long as
 * the calls, and the objects, that are given the executor; the structure itself is copied.
 */
typedef struct simdrop_executor {
  size_t struct_size; /**< sizeof(simdrop_executor) */
  void* context;      /**< handed to parallel_for, else not looked at */
  /**
   * Must call task(task_context, i) exactly once for each i in [0, count), on any threads, the
   * caller's included, at once or one after the other, in any order, and return when all have
   * returned. It must not throw or jump out. If calls with this executor are made from several
   * threads at once, it must bear that. Not NULL.
   */
  void (*parallel_for)(void* context, size_t count, void (*task)(void* task_context, size_t index),
                       void* task_context);
  int32_t max_concurrency; /**< tasks that can run at once, >= 1 */
  int32_t reserved;        /**< 0 */
} simdrop_executor;

/**
 * A pool of threads for the calls that are given it: simdrop::ThreadPool of simdrop/threads.hpp,
 * which says how they wait, where they run and what becomes of them in a child process. Any number
 * of threads may use one pool at the same time.
 */
typedef struct simdrop_thread_pool simdrop_thread_pool;

/**
 * Starts threads, so that with the calling one there are `num_threads`, and at most 1024; as many
 * as the system grants if that is fewer. 0: as many as this process may use. The pool belongs to
 * the caller, and must outlive the calls, and the objects, that are given its executor.
 * @return SIMDROP_INVALID_ARGUMENT for a negative number.
 */
SIMDROP_API simdrop_status simdrop_thread_pool_create(int32_t num_threads,
                                                      simdrop_thread_pool** pool,
                                                      simdrop_error* error);
/** Ends its threads. Not during a call that uses them. NULL is nothing to destroy. */
SIMDROP_API void simdrop_thread_pool_destroy(simdrop_thread_pool* pool);
/**
 * The executor that runs calls on the pool. Its max_concurrency says how many threads there are.
 * Writes struct_size = sizeof(simdrop_executor) bytes.
 */
SIMDROP_API simdrop_status simdrop_thread_pool_executor(simdrop_thread_pool* pool,
                                                        simdrop_executor* executor,
                                                        size_t struct_size, simdrop_error* error);
/**
 * The executor that runs calls on OpenMP's threads: simdrop::openmp_executor() of
 * simdrop/threads.hpp. It is never destroyed. Writes struct_size = sizeof(simdrop_executor) bytes.
 * @return SIMDROP_INVALID_STATE in a build without OpenMP.
 */
SIMDROP_API simdrop_status simdrop_openmp_executor(simdrop_executor* executor, size_t struct_size,
                                                   simdrop_error* error);

/**
 * Who runs a call, and how. NULL, where a function takes one: one thread and automatic stores, or
 * what the object was created with.
 *
 * A call uses at most num_threads threads, 0 for as many as this process may use, or as the
 * executor has; at most 1024. Struct Threads of simdrop/threads.hpp says whose they are. In a build
 * with OpenMP a call that is made inside a parallel region stays on the thread that makes it.
 */
typedef struct simdrop_exec {
  size_t struct_size;               /**< sizeof(simdrop_exec) */
  const simdrop_executor* executor; /**< NULL: the library's threads */
  int32_t num_threads;              /**< default 1 */
  simdrop_stores stores;            /**< default 0, automatic; only dropout.h's functions use it */
} simdrop_exec;

/**
 * Sets all defaults: one thread, automatic stores. Writes struct_size = sizeof(simdrop_exec) bytes.
 * @return SIMDROP_INVALID_ARGUMENT for NULL or a size that no version had.
 */
SIMDROP_API simdrop_status simdrop_exec_init(simdrop_exec* exec, size_t struct_size,
                                             simdrop_error* error);

/** The version of this header's interface; see simdrop_abi_version(). */
#define SIMDROP_ABI_VERSION 2

/** The version of the library that runs: 10000 * major + 100 * minor + patch. Never fails. */
SIMDROP_API int32_t simdrop_version(void);
/** The same as "major.minor.patch", static storage. Never fails. */
SIMDROP_API const char* simdrop_version_string(void);
/** The SIMDROP_ABI_VERSION that the library which runs was built with. Never fails. */
SIMDROP_API int32_t simdrop_abi_version(void);
/** The version of the mask contract (simdrop/mask.hpp): the bits of one never change. */
SIMDROP_API int32_t simdrop_mask_contract_version(void);
/** 1 if the library was built with OpenMP, else 0. Never fails. */
SIMDROP_API int32_t simdrop_has_openmp(void);

/** An instruction set that simdrop has kernels for. */
typedef struct simdrop_isa_info {
  size_t struct_size; /**< sizeof(simdrop_isa_info), set by the caller */
  const char* name;   /**< "scalar", "neon", "avx2" or "avx512"; static storage */
  int32_t compiled;   /**< 1 if this build contains its kernels */
  int32_t supported;  /**< 1 if this CPU and operating system can run it */
} simdrop_isa_info;

/** The number of instruction sets that simdrop knows. Never fails. */
SIMDROP_API int32_t simdrop_isa_count(void);
/**
 * Describes instruction set number `index`, 0 <= index < simdrop_isa_count(), slowest first.
 * @return SIMDROP_INVALID_ARGUMENT for another index, NULL, or a size that no version had.
 */
SIMDROP_API simdrop_status simdrop_isa_get(int32_t index, simdrop_isa_info* info,
                                           simdrop_error* error);
/**
 * The name of the instruction set whose kernels run, static storage: the last one of the list that
 * is compiled and supported, or what the environment variable SIMDROP_FORCE_ISA names when the
 * first kernel runs.
 * @return SIMDROP_UNSUPPORTED if that variable names what is unknown, not compiled or not supported
 *     (then every kernel returns it too); SIMDROP_INVALID_ARGUMENT if `name` is NULL.
 */
SIMDROP_API simdrop_status simdrop_active_isa(const char** name, simdrop_error* error);
/**
 * The CPU's own name for itself, or "unknown".
 * @param buffer receives the text and a final 0; NULL to ask for the length alone.
 * @param size of the buffer in bytes; must be more than the length.
 * @param length receives the length without the final 0; may be NULL.
 */
SIMDROP_API simdrop_status simdrop_cpu_name(char* buffer, int64_t size, int64_t* length,
                                            simdrop_error* error);

#ifdef __cplusplus
}
#endif
#endif
