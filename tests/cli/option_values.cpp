// How the values of options are read: decimal, whole, in range; whatever the locale is.
#include "cli/option_values.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "helpers/expect_invalid.h"
#include "simdrop/optimizer.hpp"

using namespace simdrop::cli;

namespace {

constexpr std::uint64_t largest = std::numeric_limits<std::uint64_t>::max();

std::string read_error(const std::string& text, Range range) {
  return test::invalid_message([&] {
    double value = 0.0;
    read_value("option", text, range, value);
  });
}

// Whether the library takes it, too.
bool taken(const simdrop::OptimizerConfig& config) {
  return test::invalid_message([&] { (void)simdrop::Optimizer(config, {}); }).empty();
}

}  // namespace

TEST_CASE("options: whole numbers are digits") {
  CHECK(whole_number("0") == 0U);
  CHECK(whole_number("010") == 10U);
  CHECK(whole_number("00000000000000000000000000001") == 1U);
  CHECK(whole_number("18446744073709551615") == largest);
  for (const char* text : {"",
                           " ",
                           " 5",
                           "5 ",
                           "+5",
                           "-5",
                           "-0",
                           "--5",
                           "0x10",
                           "0b1",
                           "0o7",
                           "1e3",
                           "5.0",
                           "5.",
                           ".5",
                           "5,",
                           ",5",
                           "1,000",
                           "1'000",
                           "1_000",
                           "nan",
                           "inf",
                           "18446744073709551616",
                           "99999999999999999999999999999999999999999",
                           "-18446744073709551615",
                           "\xd9\xa1",
                           "five",
                           "5\n",
                           "\t5",
                           "5u",
                           "1/2",
                           "\xc2\xa0"
                           "5"}) {
    INFO(std::string(text));
    CHECK(!whole_number(text));
  }
  CHECK(!whole_number(std::string_view("5\0", 2)));
}

TEST_CASE("options: numbers have no sign, and all of a text counts") {
  CHECK(decimal_number("0") == 0.0);
  CHECK(!std::signbit(decimal_number("0.0").value()));
  CHECK(decimal_number("007.50") == 7.5);
  CHECK(decimal_number(".5") == 0.5);
  CHECK(decimal_number("5.") == 5.0);
  CHECK(decimal_number("1e-3") == 1e-3);
  CHECK(decimal_number("1E3") == 1000.0);
  CHECK(decimal_number("1e+3") == 1000.0);
  CHECK(decimal_number("0.1") == 0.1);
  CHECK(decimal_number("1.7976931348623157e308") == std::numeric_limits<double>::max());
  CHECK(decimal_number("4.9406564584124654e-324") == std::numeric_limits<double>::denorm_min());
  for (const char* text :
       {"",        " ",     " .5",    ".5 ",  "+.5",  "-.5", "-0",       "-0.0",  "0x1p-1",
        "0x10",    "1e999", "1e-999", ".",    "e1",   "1e",  "1e+",      "1.5.5", "0,5",
        "1'000.5", "0.5f",  "1d-3",   "-nan", "-inf", "1e-", "\xd9\xa1", "1 e3",  "half"}) {
    INFO(std::string(text));
    CHECK(!decimal_number(text));
  }
  for (const Range range :
       {Range::probability, Range::not_negative, Range::not_negative_float, Range::momentum}) {
    for (const char* text : {"nan", "NaN", "nan(1)", "inf", "INF", "infinity", "-0", "-1e-300"}) {
      INFO(std::string(text));
      CHECK(read_error(text, range) != "");
    }
  }
}

TEST_CASE("options: errors say what was given and what is allowed") {
  CHECK(read_error("0.9999999999", Range::momentum) ==
        "--option is '0.9999999999'; allowed: a number without sign, 0 or more and below 1, also "
        "when rounded to float");
  CHECK(read_error("1.0000000000000002", Range::probability) ==
        "--option is '1.0000000000000002'; allowed: a number without sign, 0 to 1");
  CHECK(read_error("1e999", Range::not_negative) ==
        "--option is '1e999', beyond what a double holds; allowed: a number without sign, 0 or "
        "more and finite");
  CHECK(read_error("1e-999", Range::probability) ==
        "--option is '1e-999', beyond what a double holds; allowed: a number without sign, 0 to 1");
  std::vector<double> values;
  CHECK(test::invalid_message([&] { read_value("list", "1,,0", Range::probability, values); }) ==
        "--list is '' in '1,,0'; allowed: a number without sign, 0 to 1");
}

TEST_CASE("options: a list has every one of its fields") {
  CHECK(fields_of("") == std::vector<std::string>{""});
  CHECK(fields_of(",") == std::vector<std::string>{"", ""});
  CHECK(fields_of("16,,10,") == std::vector<std::string>{"16", "", "10", ""});
  std::vector<std::size_t> values{7};
  read_value("list", "16,010", Range::at_least_one, values);
  CHECK(values == std::vector<std::size_t>{16, 10});
}

TEST_CASE("options: what turns a switch on and off") {
  for (const char* text : {"true", "TRUE", "On", "yes", "1"}) CHECK(switch_value(text) == true);
  for (const char* text : {"false", "OFF", "no", "0"}) CHECK(switch_value(text) == false);
  for (const char* text :
       {"", "2", "-1", "10", "maybe", "true ", " 1", "t", "99999999999999999999"})
    CHECK(!switch_value(text));
}

TEST_CASE("options: the ranges of an optimiser's numbers are the library's") {
  std::vector<double> values{0.0,   0.5,      1.0,        1e-50,        1e-46,    1e-45,
                             1e-38, 0.999999, 0.99999999, 1e38,         3e38,     1e39,
                             1e300, -1e-300,  2.0,        std::nan(""), HUGE_VAL, -HUGE_VAL};
  for (const double edge : {0x1.fffffep127, 0x1.ffffffp127, 0x1.ffffffp-1, 0x1p-150}) {
    values.insert(values.end(), {std::nextafter(edge, 0.0), edge, std::nextafter(edge, HUGE_VAL)});
  }
  for (const double value : values) {
    CAPTURE(value);
    CHECK(in_range(Range::momentum, value) == taken({.momentum = value}));
    // The library takes a rate that float rounds to 0, and a norm that it rounds to infinity: as
    // options they could have no effect.
    const bool in = in_range(Range::not_negative_float, value);
    const auto rounded = static_cast<float>(value);
    CHECK(in == (taken({.learning_rate = value}) && (rounded > 0.0F || value == 0.0)));
    CHECK(in == (taken({.weight_decay = value}) && (rounded > 0.0F || value == 0.0)));
    CHECK(in == (taken({.max_norm = value}) && std::isfinite(rounded)));
  }
}
