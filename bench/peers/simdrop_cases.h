// What peers are compared with: memcpy, and simdrop's public API on one thread.
#pragma once

#include "peers/peer.h"

namespace simdrop::bench {

// One case of each operation is its yardstick.
[[nodiscard]] std::vector<Implementation> own_cases(const Problem& problem);

}  // namespace simdrop::bench
