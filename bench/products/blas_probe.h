// Which way to run a library is its best here. Each is tried in a process of its own: libraries
// read their settings once.
#pragma once

#include <optional>
#include <vector>

#include "products/blas.h"

namespace simdrop::bench {

// Tries all and prints what each reached; the fastest, or nothing if none ran. Call it before this
// process has threads.
[[nodiscard]] std::optional<BlasChoice> fastest(const std::vector<BlasChoice>& choices,
                                                int threads);

}  // namespace simdrop::bench
