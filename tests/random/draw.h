// What a random case is made of: choices that follow from one number alone.
#pragma once

#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "helpers/element.h"
#include "helpers/guarded_buffer.h"
#include "helpers/pools.h"
#include "reference/mask_reference.h"
#include "simdrop/threads.hpp"

namespace random_case {

class Draw {
 public:
  explicit Draw(std::uint64_t number) : state_(number) {}

  // SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
  std::uint64_t word() {
    state_ += 0x9E3779B97F4A7C15U;
    std::uint64_t z = state_;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9U;
    z = (z ^ z >> 27) * 0x94D049BB133111EBU;
    return z ^ z >> 31;
  }
  std::size_t below(std::size_t n) { return static_cast<std::size_t>(word() >> 11) % n; }
  bool one_in(std::size_t n) { return below(n) == 0; }
  // In [low, high).
  double between(double low, double high) {
    return low + (high - low) * (static_cast<double>(word() >> 11) * 0x1p-53);
  }
  template <class T, std::size_t n>
  T pick(const T (&values)[n]) {
    return values[below(n)];
  }

  // Of a row or a column: none, few or some.
  std::size_t length() {
    if (one_in(4)) return below(4);
    return one_in(6) ? below(400) : below(70);
  }
  std::size_t padding() { return one_in(2) ? 0 : below(9); }

  double keep_prob() {
    constexpr double edge[] = {0.0,    1.0,    0x1p-32,       0x1p-33, 1.0 - 0x1p-53, 1.0 - 0x1p-33,
                               5e-324, 1e-310, 1.0 - 0x1p-32, 0x1p-9,  1.0 - 0x1p-9,  0x1.8p-33};
    constexpr double usual[] = {.5, .8, .9, .75, .1, .3};
    if (one_in(5)) return pick(edge);
    return one_in(2) ? pick(usual) : between(0.0, 1.0);
  }
  // A number of an element, a row or a sample: any, or near a power of two.
  std::uint64_t position() {
    constexpr std::uint64_t near[] = {0, 0, 256, std::uint64_t{1} << 32, std::uint64_t{1} << 63};
    return one_in(4) ? word() : pick(near) + below(600) - 300;
  }
  reference::MaskSpec mask_spec() {
    return {word(),
            word(),
            position(),
            keep_prob(),
            one_in(3) ? reference::Rule::words : reference::Rule::dyadic,
            one_in(3) ? 7 : 10};
  }

  simdrop::Threads threads() {
    static test::QueuePool pool(2);
    static test::SerialExecutor serial(3, test::Order::backward);
    const std::size_t kind = below(8);
    if (kind == 0) return {pool, static_cast<int>(below(4))};
    if (kind == 1) return {serial, static_cast<int>(below(4))};
    return kind < 5 ? 1 : static_cast<int>(kind) - 3;
  }

  // In (-2, 2) and not 0; or, if `special`, at times any bits, an infinity, a subnormal and so on.
  template <class T>
  T element(bool special) {
    using A = test::Arithmetic<T>;
    using Limits = std::numeric_limits<A>;
    if (special && one_in(3)) {
      if (one_in(3)) return any_bits<T>();
      const A values[] = {A{0},          -A{0},         Limits::infinity(),   -Limits::infinity(),
                          Limits::max(), Limits::min(), Limits::denorm_min(), Limits::quiet_NaN(),
                          A{1},          A{-65504},     A(0x1p-24),           A(6e-8)};
      return test::narrow<T>(pick(values));
    }
    const auto magnitude = static_cast<A>(between(0x1p-10, 2.0));
    return test::narrow<T>(one_in(2) ? magnitude : -magnitude);
  }
  template <class T>
  T any_bits() {
    if constexpr (test::is_16_bit<T>) {
      return {static_cast<std::uint16_t>(word())};
    } else if constexpr (sizeof(T) == 8) {
      return std::bit_cast<T>(word());
    } else {
      return std::bit_cast<T>(static_cast<std::uint32_t>(word()));
    }
  }

 private:
  std::uint64_t state_;
};

inline bool bit(std::span<const std::uint8_t> mask, std::size_t i) {
  return (mask[i / 8] >> i % 8) % 2 != 0;
}

}  // namespace random_case
