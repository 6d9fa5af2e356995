// The timer of training steps with and without dropout, and its quartiles.
#include "cli/overhead_timer.h"

#include <doctest/doctest.h>

using namespace simdrop::cli;

TEST_CASE("overhead: pairs of steps, for each unit") {
  for (const char* unit : {"element", "neuron", "lazy"}) {
    OverheadTimer timer({16, 4, unit, 0.75, 1});
    for (const double keep_prob : {0.5, 0.0}) {
      CAPTURE(unit);
      const OverheadRow row = timer.measure(keep_prob, 0.0);
      CHECK(row.unit == unit);
      CHECK(row.width == 16);
      CHECK(row.batch == 4);
      CHECK(row.keep_prob == keep_prob);
      CHECK(row.pairs == 5);
      CHECK(row.none_ms.low > 0.0);
      CHECK(row.dropout_ms.low > 0.0);
      CHECK(row.ratio.low > 0.0);
    }
  }
}

TEST_CASE("quartiles: order statistics, interpolated") {
  const Quartiles five = quartiles({5.0, 1.0, 4.0, 2.0, 3.0});
  CHECK(five.low == 2.0);
  CHECK(five.median == 3.0);
  CHECK(five.high == 4.0);
  const Quartiles two = quartiles({1.0, 2.0});
  CHECK(two.low == 1.25);
  CHECK(two.median == 1.5);
  CHECK(two.high == 1.75);
  CHECK(quartiles({7.0}).high == 7.0);
}
