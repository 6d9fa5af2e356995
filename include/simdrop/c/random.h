/**
 * @file
 * Random words and masks. Include simdrop/simdrop.h, which says what holds for every function.
 */
#ifndef SIMDROP_C_RANDOM_H
#define SIMDROP_C_RANDOM_H

#include "simdrop/api.h"
#include "simdrop/c/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/** How a mask bit follows from a stream; simdrop/mask.hpp is the specification. */
typedef int32_t simdrop_mask_rule;
enum {
  SIMDROP_RULE_DYADIC = 0, /**< few random bits an element */
  SIMDROP_RULE_WORDS = 1   /**< one 32-bit word an element, below keep_prob * 2^32: kept */
};

/** Everything that a dropout mask is a function of. */
typedef struct simdrop_dropout {
  size_t struct_size;     /**< sizeof(simdrop_dropout) */
  double keep_prob;       /**< probability that an element is kept, in [0, 1]; default 1 */
  uint64_t seed;          /**< of the stream; default 0 */
  uint64_t stream_id;     /**< two streams that differ in seed or id are independent; default 0 */
  uint64_t first;         /**< index in the stream of the call's first element; default 0 */
  simdrop_mask_rule rule; /**< default SIMDROP_RULE_DYADIC */
  int32_t rounds;         /**< of Philox4x32: 10 or 7; 0 and the default: 10 */
} simdrop_dropout;

/**
 * Sets all defaults. Writes struct_size = sizeof(simdrop_dropout) bytes.
 * @return SIMDROP_INVALID_ARGUMENT for NULL or a size that no version had.
 */
SIMDROP_API simdrop_status simdrop_dropout_init(simdrop_dropout* dropout, size_t struct_size,
                                                simdrop_error* error);

/** Bytes of a mask of n elements: n / 8, rounded up; -1 if n is negative. Never fails. */
SIMDROP_API int64_t simdrop_mask_bytes(int64_t n);

/**
 * Writes words[i] = word first_word + i (modulo 2^64) of a stream of Philox4x32, in native byte
 * order: word w is word w % 4 of the block with counter (w / 4, stream_id) and key seed.
 * @param words n words.
 * @param rounds 10 or 7.
 * @param exec may be NULL.
 * Source: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
 */
SIMDROP_API simdrop_status simdrop_philox_fill(uint64_t seed, uint64_t stream_id,
                                               uint64_t first_word, uint32_t* words, int64_t n,
                                               int32_t rounds, const simdrop_exec* exec,
                                               simdrop_error* error);

/**
 * Writes the mask of elements dropout->first ... dropout->first + n - 1 (modulo 2^64). A bit is a
 * function of stream, element, keep_prob, rule and rounds alone.
 * @param dropout not NULL.
 * @param mask simdrop_mask_bytes(n) bytes.
 * @param exec may be NULL.
 */
SIMDROP_API simdrop_status simdrop_bernoulli_mask(const simdrop_dropout* dropout, int64_t n,
                                                  uint8_t* mask, const simdrop_exec* exec,
                                                  simdrop_error* error);

#ifdef __cplusplus
}
#endif
#endif
