// Times calls in turn, in another order each round, so that what disturbs the machine disturbs all
// of them.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

namespace simdrop::bench {

// One call; `turn` counts them, to take other operands each time.
using Call = std::function<void(std::size_t turn)>;

struct Timing {
  int rounds = 9;
  double milliseconds = 6.0;  // least, of each call in each round
  // Before each: the idle team of the one before has stopped to spin by then.
  double pause_milliseconds = 0.0;
};

[[nodiscard]] std::vector<double> median_seconds(const std::vector<Call>& calls,
                                                 const Timing& timing);

}  // namespace simdrop::bench
