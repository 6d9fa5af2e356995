// Comparisons of arrays, and test data.
#pragma once

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <span>
#include <vector>

namespace test {

// The same bits; or both NaN, whose payload and sign IEEE 754 leaves open.
inline bool same_float(float a, float b) {
  return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b) ||
         (std::isnan(a) && std::isnan(b));
}

constexpr std::size_t no_difference = std::numeric_limits<std::size_t>::max();

// Index of the first element that differs (the length, if that does), or no_difference.
inline std::size_t first_difference(std::span<const float> got, std::span<const float> want) {
  if (got.size() != want.size()) return got.size();
  for (std::size_t i = 0; i < got.size(); ++i) {
    if (!same_float(got[i], want[i])) return i;
  }
  return no_difference;
}

template <class T>
std::size_t first_difference(std::span<const T> got, std::span<const T> want) {
  if (got.size() != want.size()) return got.size();
  for (std::size_t i = 0; i < got.size(); ++i) {
    if (got[i] != want[i]) return i;
  }
  return no_difference;
}

// Bound of the relative error of n roundings to float: Higham's gamma(n), ASNA section 3.1.
inline double gamma_bound(std::size_t n) {
  const double u = std::ldexp(1.0, -24);
  const double nu = static_cast<double>(n) * u;
  return nu / (1.0 - nu);
}

// Values in (-2, 2), never 0.
inline std::vector<float> random_floats(std::size_t n, std::uint32_t seed) {
  std::mt19937 engine(seed);
  std::vector<float> values(n);
  for (float& value : values) {
    const auto bits = static_cast<std::uint32_t>(engine());
    const float magnitude = (static_cast<float>(bits >> 9) + 1.0F) * 0x1p-22F;
    value = (bits & 1U) != 0 ? magnitude : -magnitude;
  }
  return values;
}

inline std::vector<std::uint8_t> random_bytes(std::size_t n, std::uint32_t seed) {
  std::mt19937 engine(seed);
  std::vector<std::uint8_t> values(n);
  for (std::uint8_t& value : values) value = static_cast<std::uint8_t>(engine() >> 24);
  return values;
}

}  // namespace test
