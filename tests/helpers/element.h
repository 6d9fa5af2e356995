// What tests must know of the element types of the kernels, with the oracle's conversions.
#pragma once

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <span>
#include <type_traits>
#include <vector>

#include "helpers/compare.h"
#include "kernels/kernel_table.h"
#include "reference/float16_reference.h"

namespace test {

using simdrop::bfloat16;
using simdrop::float16;

// The type that T is computed in, and one that is wide enough to judge the arithmetic.
template <class T>
using Arithmetic = std::conditional_t<std::is_same_v<T, double>, double, float>;
template <class T>
using Textbook = std::conditional_t<std::is_same_v<T, double>, long double, double>;

template <class T>
constexpr bool is_16_bit = std::is_same_v<T, bfloat16> || std::is_same_v<T, float16>;

template <class T>
constexpr reference::Format16 format_of =
    std::is_same_v<T, bfloat16> ? reference::bfloat16_format : reference::binary16_format;

template <class T>
Arithmetic<T> widen(T x) {
  if constexpr (is_16_bit<T>) {
    return static_cast<float>(reference::value_of(format_of<T>, x.bits));
  } else {
    return x;
  }
}

template <class T>
T narrow(Arithmetic<T> x) {
  if constexpr (is_16_bit<T>) {
    return {reference::nearest(format_of<T>, static_cast<double>(x))};
  } else {
    return x;
  }
}

template <class T>
const auto& kernels_of(const simdrop::detail::KernelTable& table) {
  if constexpr (std::is_same_v<T, double>) {
    return table.f64;
  } else if constexpr (std::is_same_v<T, float>) {
    return table.f32;
  } else if constexpr (std::is_same_v<T, bfloat16>) {
    return table.bf16;
  } else {
    return table.f16;
  }
}

// The same bits; or both NaN (of 16 bits: both quiet), whose payload and sign are left open.
template <class T>
bool same_element(T a, T b) {
  if constexpr (is_16_bit<T>) {
    return a.bits == b.bits || (reference::is_quiet_nan(format_of<T>, a.bits) &&
                                reference::is_quiet_nan(format_of<T>, b.bits));
  } else if constexpr (std::is_same_v<T, double>) {
    return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b) ||
           (std::isnan(a) && std::isnan(b));
  } else {
    return same_float(a, b);
  }
}

template <class T>
std::size_t first_different_element(std::span<const T> got, std::span<const T> want) {
  if (got.size() != want.size()) return got.size();
  for (std::size_t i = 0; i < got.size(); ++i) {
    if (!same_element(got[i], want[i])) return i;
  }
  return no_difference;
}

// As compare.h has it for float.
inline std::size_t first_difference(std::span<const double> got, std::span<const double> want) {
  return first_different_element(got, want);
}
inline std::size_t first_difference(std::span<const bfloat16> got, std::span<const bfloat16> want) {
  return first_different_element(got, want);
}
inline std::size_t first_difference(std::span<const float16> got, std::span<const float16> want) {
  return first_different_element(got, want);
}

// Values in (-2, 2), never 0.
template <class T>
std::vector<T> random_elements(std::size_t n, std::uint32_t seed) {
  const std::vector<float> floats = random_floats(n, seed);
  std::vector<T> values(n);
  std::mt19937 engine(seed + 1);
  for (std::size_t i = 0; i < n; ++i) {
    auto x = static_cast<Arithmetic<T>>(floats[i]);
    if constexpr (std::is_same_v<T, double>) x *= 1.0 + std::ldexp(engine() % 1000000, -45);
    values[i] = narrow<T>(x);
  }
  return values;
}

// Whether `got` can be `roundings` roundings of its own arithmetic from the textbook's value, which
// is computed with as many: Higham's gamma(n), ASNA section 3.1.
template <class A, class W>
bool close_to_textbook(A got, W want, int roundings) {
  const auto gamma = [roundings](auto epsilon) {
    const W nu = static_cast<W>(epsilon) / 2 * static_cast<W>(roundings);
    return nu / (1 - nu);
  };
  const W bound =
      gamma(std::numeric_limits<A>::epsilon()) + gamma(std::numeric_limits<W>::epsilon());
  return std::fabs(static_cast<W>(got) - want) <= bound * std::fabs(want);
}

}  // namespace test
