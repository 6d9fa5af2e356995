// The oracle of 16-bit formats itself: known values, and rounding as IEEE 754 defines it, by
// comparing distances.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <type_traits>

#include "reference/float16_reference.h"
#include "simdrop/float16.hpp"

namespace {

using reference::bfloat16_format;
using reference::binary16_format;
using reference::Format16;

struct Known {
  double value;
  std::uint16_t bits;
};

void check_known(Format16 format, std::initializer_list<Known> exact,
                 std::initializer_list<Known> rounded) {
  for (const Known& known : exact) {
    CAPTURE(known.bits);
    CHECK(reference::value_of(format, known.bits) == known.value);
    CHECK(reference::nearest(format, known.value) == known.bits);
  }
  for (const Known& known : rounded) {
    CAPTURE(known.value);
    CHECK(reference::nearest(format, known.value) == known.bits);
    CHECK(reference::nearest(format, -known.value) == (known.bits | 0x8000));
  }
}

// Every number between two neighbours goes to the nearer one, the middle to the even one.
void check_between(Format16 format, std::uint16_t below) {
  const auto above = static_cast<std::uint16_t>(below + 1);
  const double low = reference::value_of(format, below);
  const double high = above == format.infinity() ? std::ldexp(1.0, format.bias() + 1)
                                                 : reference::value_of(format, above);
  const double middle = low + (high - low) / 2;
  const std::uint16_t even = below % 2 == 0 ? below : above;
  const bool right = low < high && reference::nearest(format, low) == below &&
                     reference::nearest(format, std::nextafter(middle, low)) == below &&
                     reference::nearest(format, middle) == even &&
                     reference::nearest(format, std::nextafter(middle, high)) == above &&
                     reference::nearest(format, std::nextafter(high, low)) == above &&
                     reference::nearest(format, high) == above &&
                     reference::nearest(format, -middle) == (even | 0x8000);
  CAPTURE(below);
  if (!right) CHECK(right);
}

void check_format(Format16 format) {
  for (std::uint16_t bits = 0; bits < format.infinity(); ++bits) check_between(format, bits);
  const double infinity = std::numeric_limits<double>::infinity();
  CHECK(reference::value_of(format, format.infinity()) == infinity);
  CHECK(reference::nearest(format, infinity) == format.infinity());
  CHECK(reference::nearest(format, std::numeric_limits<double>::max()) == format.infinity());
  CHECK(reference::nearest(format, -0.0) == 0x8000);
  CHECK(std::signbit(reference::value_of(format, 0x8000)));
  for (int bits = format.infinity() + 1; bits < 0x8000; ++bits) {
    const auto nan = static_cast<std::uint16_t>(bits);
    if (!std::isnan(reference::value_of(format, nan))) CHECK(bits == 0);
  }
  CHECK(reference::nearest(format, std::nan("")) == format.quiet_nan());
  CHECK(reference::is_quiet_nan(format, format.quiet_nan()));
  CHECK(reference::is_quiet_nan(format, 0xFFFF));
  CHECK(!reference::is_quiet_nan(format, static_cast<std::uint16_t>(format.infinity() + 1)));
  CHECK(!reference::is_quiet_nan(format, format.infinity()));
}

}  // namespace

TEST_SUITE("float16 oracle") {
  TEST_CASE("oracle: known values of binary16") {
    check_known(binary16_format,
                {{1.0, 0x3C00},
                 {-2.0, 0xC000},
                 {65504.0, 0x7BFF},
                 {0x1p-14, 0x0400},
                 {0x1.FF8p-15, 0x03FF},
                 {0x1p-24, 0x0001}},
                {{1.0 / 3.0, 0x3555},
                 {0.1, 0x2E66},
                 {65519.99, 0x7BFF},
                 {65520.0, 0x7C00},
                 {0x1p-25, 0x0000},
                 {0x1.8p-24, 0x0002},
                 {0x1.000001p-25, 0x0001}});
  }

  TEST_CASE("oracle: known values of bfloat16") {
    check_known(bfloat16_format,
                {{1.0, 0x3F80}, {-2.0, 0xC000}, {0x1.FEp127, 0x7F7F}, {0x1p-133, 0x0001}},
                {{1.0 / 3.0, 0x3EAB},
                 {3.14159265358979, 0x4049},
                 {0x1.FFp127, 0x7F80},
                 {0x1.FEFFp127, 0x7F7F},
                 {0x1p-134, 0x0000}});
  }

  TEST_CASE("oracle: every number, what lies between it and the next, infinity, NaN") {
    check_format(binary16_format);
    check_format(bfloat16_format);
  }

  TEST_CASE("layout of the public types") {
    CHECK(sizeof(simdrop::bfloat16) == 2);
    CHECK(sizeof(simdrop::float16) == 2);
    CHECK(alignof(simdrop::bfloat16) == alignof(std::uint16_t));
    CHECK(alignof(simdrop::float16) == alignof(std::uint16_t));
    CHECK(std::is_trivially_copyable_v<simdrop::bfloat16>);
    CHECK(std::is_trivially_copyable_v<simdrop::float16>);
  }
}
