#include "simdrop/c/random.h"

#include "c_api/arguments.h"
#include "c_api/catch_exceptions.h"
#include "c_api/exec.h"
#include "simdrop/mask.hpp"
#include "simdrop/rng.hpp"

using namespace simdrop::c_api;  // NOLINT(google-build-using-namespace): C functions have none

simdrop_status simdrop_dropout_init(simdrop_dropout* dropout, size_t struct_size,
                                    simdrop_error* error) {
  return catch_exceptions(error,
                          [&] { write_struct(dropout, struct_size, dropout_defaults, "dropout"); });
}

int64_t simdrop_mask_bytes(int64_t n) {
  return n < 0 ? -1 : n / 8 + (n % 8 != 0);
}

simdrop_status simdrop_philox_fill(uint64_t seed, uint64_t stream_id, uint64_t first_word,
                                   uint32_t* words, int64_t n, int32_t rounds,
                                   const simdrop_exec* exec, simdrop_error* error) {
  return catch_exceptions(error, [&] {
    const Exec run(exec);
    simdrop::philox_fill({.seed = seed, .id = stream_id}, first_word,
                         array_of(words, count_of(n, "n"), "words"),
                         static_cast<simdrop::PhiloxRounds>(rounds), run.threads());
  });
}

simdrop_status simdrop_bernoulli_mask(const simdrop_dropout* dropout, int64_t n, uint8_t* mask,
                                      const simdrop_exec* exec, simdrop_error* error) {
  return catch_exceptions(error, [&] {
    const Exec run(exec);
    const std::size_t count = count_of(n, "n");
    simdrop::bernoulli_mask(dropout_of(dropout), count,
                            array_of(mask, simdrop::mask_bytes(count), "mask"), run.threads());
  });
}
