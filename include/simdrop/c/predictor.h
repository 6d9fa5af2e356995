/**
 * @file
 * Predictions of one network from many threads at once. Include simdrop/simdrop.h, which says what
 * holds for every function.
 */
#ifndef SIMDROP_C_PREDICTOR_H
#define SIMDROP_C_PREDICTOR_H

#include "simdrop/api.h"
#include "simdrop/c/mlp.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * The buffers of one thread that predicts. Any number of predictors may read one network at the
 * same time; the network must outlive them, and must not be trained or changed while one of them
 * predicts. Changes between calls are seen.
 */
typedef struct simdrop_predictor simdrop_predictor;

/**
 * Creates a predictor; it belongs to the caller.
 * @param max_batch rows that pass the network together, >= 1; memory grows with it.
 * @param exec who runs its calls, unless a call says otherwise; NULL: one thread.
 */
SIMDROP_API simdrop_status simdrop_predictor_create(const simdrop_mlp* mlp, int64_t max_batch,
                                                    const simdrop_exec* exec,
                                                    simdrop_predictor** predictor,
                                                    simdrop_error* error);
/** Destroys it. NULL is nothing to destroy. */
SIMDROP_API void simdrop_predictor_destroy(simdrop_predictor* predictor);

/**
 * As simdrop_mlp_predict() of a network with this max_batch, bit for bit. out must not overlap what
 * simdrop_mlp_tensor() shows of the network either.
 */
SIMDROP_API simdrop_status simdrop_predictor_predict(simdrop_predictor* predictor, int64_t rows,
                                                     const float* x, int64_t x_ld, float* out,
                                                     int64_t out_ld, const simdrop_exec* exec,
                                                     simdrop_error* error);

/** As simdrop_mlp_predict_monte_carlo(), bit for bit, whatever max_batch is. */
SIMDROP_API simdrop_status simdrop_predictor_predict_monte_carlo(
    simdrop_predictor* predictor, int64_t rows, const float* x, int64_t x_ld, int64_t samples,
    uint64_t first_sample, uint64_t first_row, float* mean, int64_t mean_ld, float* variance,
    int64_t variance_ld, const simdrop_exec* exec, simdrop_error* error);

#ifdef __cplusplus
}
#endif
#endif
