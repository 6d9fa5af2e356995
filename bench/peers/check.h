// Whether a case computes what it says: nothing is timed that does not.
#pragma once

#include <string>

#include "peers/peer.h"

namespace simdrop::bench {

// Runs the case twice. Returns what is wrong, or an empty string.
// - copy, ReLU and backward, which draw nothing: every output, to 1 ulp.
// - known words: every word against simdrop::philox4x32; others: how often each bit is set.
// - what drops: kept outputs to 1 ulp, dropped ones 0, the number of kept elements within five
//   standard deviations, and another mask on the second call.
[[nodiscard]] std::string check(const Implementation& what, const Problem& problem,
                                const Arrays& arrays);

}  // namespace simdrop::bench
