#include "reference/float16_reference.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace reference {
namespace {

constexpr std::uint16_t sign_bit = 0x8000;

}  // namespace

double value_of(Format16 format, std::uint16_t bits) {
  const int fraction = bits % (1 << format.fraction_bits);
  const int exponent = (bits % sign_bit) >> format.fraction_bits;
  const double sign = bits >= sign_bit ? -1.0 : 1.0;
  if (exponent == (1 << format.exponent_bits) - 1) {
    return fraction == 0 ? sign * std::numeric_limits<double>::infinity()
                         : std::numeric_limits<double>::quiet_NaN();
  }
  const int implied = exponent == 0 ? 0 : 1 << format.fraction_bits;
  const int power = std::max(exponent, 1) - format.bias() - format.fraction_bits;
  return sign * std::ldexp(implied + fraction, power);
}

// Counts the value in units of the last place of its binade; those counts, binade by binade, are
// what the bits number consecutively.
std::uint16_t nearest(Format16 format, double value) {
  if (std::isnan(value)) return format.quiet_nan();
  const auto sign = std::signbit(value) ? sign_bit : std::uint16_t{0};
  const double magnitude = std::fabs(value);
  const int lowest = 1 - format.bias();
  const int highest = format.bias();
  if (magnitude == 0.0) return sign;
  if (magnitude >= std::ldexp(1.0, highest + 1)) {
    return static_cast<std::uint16_t>(sign | format.infinity());
  }
  const int binade = std::max(std::ilogb(magnitude), lowest);
  const double units = std::nearbyint(std::ldexp(magnitude, format.fraction_bits - binade));
  const int before = (binade - lowest) << format.fraction_bits;
  return static_cast<std::uint16_t>(sign | (before + static_cast<int>(units)));
}

bool is_quiet_nan(Format16 format, std::uint16_t bits) {
  return bits % sign_bit >= format.quiet_nan();
}

}  // namespace reference
