// How weights start.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/kernel_table.h"
#include "simdrop/matrix.hpp"
#include "simdrop/mlp.hpp"
#include "simdrop/threads.hpp"

namespace simdrop::detail {

// Fills `weights` (out x in, ld = in) of `layer`: weight i is a function of word i of the layer's
// stream (xavier), or of words 2 floor(i / 2) and the next (he, by Box-Muller).
void initialise_weights(const KernelTable& table, Init init, std::uint64_t seed, std::size_t layer,
                        Matrix weights, Threads threads);

}  // namespace simdrop::detail
