/**
 * @file
 * simdrop's C interface: C99, and any language that can call C.
 *
 * @section c_calls Calls
 * - A function that can fail returns a simdrop_status: SIMDROP_OK = 0 if it did what it says. Its
 *   last parameter is a simdrop_error, which may be NULL. It receives the status and a message,
 *   which names the argument, its value and what is allowed.
 * - On an error nothing is written but that simdrop_error: no output, no object.
 * - No exception leaves a function, none aborts or prints, and errno stays as it was.
 * - Every function computes in the default floating-point environment (to nearest, subnormal
 *   numbers kept, no traps), whatever its caller's is, and gives the caller's back, exception flags
 *   included; where the caller's is the default, flags may be raised as by any arithmetic. So
 *   simdrop_executor.parallel_for is called in the default environment, and must leave it so.
 * - There is no global state to set up, and none of a thread: functions may be called from any
 *   number of threads at once. An object must not be used by two calls at once, unless its
 *   functions say that it may be shared.
 * - A thread may be cancelled (pthread_cancel()) in any call, if its cancellation is deferred, as
 * it is by default: it ends at its next cancellation point after the call. Asynchronous
 * cancellation is not supported.
 * - A call needs at most 32 KiB of its thread's stack (in an optimised build, and beside what the
 *   caller's executor needs), and may be interrupted by signals at any rate.
 * - Who runs a call, and on how many threads, is said by a simdrop_exec. Results are the same bit
 *   for bit whatever it says.
 *
 * @section c_arrays Arrays
 * - Sizes and counts are int64_t, in elements. A negative one is an error, and so are sizes whose
 *   product with each other and with the size of an element is beyond PTRDIFF_MAX.
 * - A matrix of rows x cols is row-major: element (r, c) is element r * ld + c, and `ld` ("leading
 *   dimension", in elements) is at least cols; with one row, or none, it does not matter. Any
 *   alignment that suits the element type will do. What lies between the rows is neither read
 *   nor written.
 * - A pointer to an array without elements may be NULL; others must not be, unless a function says
 *   what NULL means.
 * - A mask has one bit for each element, set = kept, element i in bit i % 8 of byte i / 8, and
 *   simdrop_mask_bytes(elements) bytes, without regard to any ld. Unused bits of the last byte are
 *   written as 0.
 * - Outputs must not overlap other arguments. Where a function says that it works in place, the
 *   output may be the input itself: the same pointer and, with more than one row, the same ld. Any
 *   other overlap of an output is an error. What is only read may overlap.
 *
 * @section c_structs Structures
 * Each begins with struct_size, which the caller sets to sizeof(the structure), by itself or with
 * the simdrop_..._init() function that sets all defaults. Where a member has a default and cannot
 * be 0, 0 means the default too; elsewhere 0 is 0 (a keep_prob of 0 drops everything).
 *
 * @section c_abi How this interface is kept
 * As long as the library's name is libsimdrop.so.0 (its SONAME), a program that was compiled
 * against one version runs with every later one, without being compiled again:
 * - Functions, enumerators and fields are only ever added. None is removed, and none changes its
 *   parameters, its value or its place. A function that must change comes anew, as ..._v2, beside
 *   the one before.
 * - Structures grow at their end alone, and carry their size. A shorter one, of an older program,
 *   is read as far as it goes, and what it lacks has its default. A longer one, of a newer program,
 *   is taken if all that this library does not know of it is zero, which means the default too;
 *   otherwise it is an error, as that program asks for what this library cannot do.
 * - Objects (simdrop_mlp and the like) are known by pointers alone.
 * - simdrop_abi_version() counts the additions: a program that uses what version n added asks for n
 *   or more.
 * - Bits of masks and words of streams stay those of the mask contract's version
 *   (simdrop_mask_contract_version()). Sums, products and what follows from them may differ in
 *   rounding from version to version, and from instruction set to instruction set.
 */
#ifndef SIMDROP_SIMDROP_H
#define SIMDROP_SIMDROP_H

/* IWYU pragma: begin_exports */
#include "simdrop/c/base.h"
#include "simdrop/c/dropout.h"
#include "simdrop/c/files.h"
#include "simdrop/c/linear.h"
#include "simdrop/c/mlp.h"
#include "simdrop/c/optimizer.h"
#include "simdrop/c/predictor.h"
#include "simdrop/c/random.h"
/* IWYU pragma: end_exports */

#endif
