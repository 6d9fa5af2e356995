// Numbers and tables as the terminal shows them.
#include "cli/terminal.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

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

TEST_CASE("terminal: numbers as C writes them, with enough digits to read them back") {
  CHECK(fixed(0.125, 2) == "0.12");
  CHECK(fixed(-0.5, 0) == "-0");
  CHECK(fixed(1e300, 3).size() == 305);
  CHECK(fixed(std::numeric_limits<double>::max(), 6).size() == 316);
  CHECK(fixed(HUGE_VAL, 2) == "inf");
  CHECK(shortest(0.5) == "0.5");
  CHECK(shortest(784.0) == "784");
  CHECK(shortest(1e-6) == "1e-06");
  CHECK(shortest(0.9999999999) == "0.9999999999");
  CHECK(shortest(-std::numeric_limits<double>::denorm_min()) == "-5e-324");
  CHECK(shortest(-HUGE_VAL) == "-inf");
  CHECK(grouped(fixed(1e21, 0)) == "1,000,000,000,000,000,000,000");
}

TEST_CASE("terminal: an error is one line") {
  CHECK(on_one_line("a\nb\t\x1b[1m\x7f") == "a\\x0ab\\x09\\x1b[1m\\x7f");
  CHECK(on_one_line("\xc3\xa4 \xff'\\") == "\xc3\xa4 \xff'\\");
}
