// Numbers and tables as the terminal shows them.
#include "cli/terminal.h"

#include <doctest/doctest.h>

using namespace simdrop::cli;

TEST_CASE("terminal: numbers and tables") {
  CHECK(grouped(0) == "0");
  CHECK(grouped(999) == "999");
  CHECK(grouped(1000) == "1,000");
  CHECK(grouped(1863690) == "1,863,690");
  CHECK(percent(0.81234) == "81.23 %");
  CHECK(duration(9.4) == "9 s");
  CHECK(duration(59.6) == "1 min 00 s");
  CHECK(duration(7380.0) == "2 h 03 min");
  CHECK(joined({"a", "b"}, "-") == "a-b");
  const Table table({{"name", 6, true}, {"value"}});
  CHECK(table.header() == "name    value\n-------------\n");
  CHECK(table.row({"a", "1"}) == "a           1\n");
  CHECK(table.row({"longer than six", "1"}) == "longer than six      1\n");
}
