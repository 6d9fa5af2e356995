// 16-bit floating-point formats from IEEE 754's definition of a value and of rounding, in double
// arithmetic; shares no code with src.
#pragma once

#include <cstdint>

namespace reference {

// Sign, exponent, fraction from the top.
struct Format16 {
  int exponent_bits;
  int fraction_bits;

  [[nodiscard]] int bias() const { return (1 << (exponent_bits - 1)) - 1; }
  [[nodiscard]] std::uint16_t infinity() const {
    return static_cast<std::uint16_t>(((1 << exponent_bits) - 1) << fraction_bits);
  }
  [[nodiscard]] std::uint16_t quiet_nan() const {
    return static_cast<std::uint16_t>(infinity() | 1 << (fraction_bits - 1));
  }
};

inline constexpr Format16 binary16_format{5, 10};
inline constexpr Format16 bfloat16_format{8, 7};

// The number that the bits stand for; every one of them is a double.
double value_of(Format16 format, std::uint16_t bits);

// The bits of the nearest number, of two equally near the one whose last bit is 0. What rounds to
// 2^(bias + 1) or more is infinite, as if the exponent went on. For NaN, some quiet NaN.
std::uint16_t nearest(Format16 format, double value);

// A NaN whose first fraction bit is set.
bool is_quiet_nan(Format16 format, std::uint16_t bits);

}  // namespace reference
