// The parameters that masks are tested over.
#pragma once

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <random>

#include "reference/mask_reference.h"

namespace test {

inline constexpr std::array keep_probs{0.5,  0.999, 0.9,  0.8,           0.75,        0.3,  0.1,
                                       0.01, 0.0,   1e-6, 1.0,           0.25,        1e-9, 0.125,
                                       0.7,  0.55,  0.35, 0.5 + 0x1p-12, 1 - 0x1p-20, 0.65};

// Offsets beside every boundary of the contract: bytes, words, blocks, 2^32, 2^63.
inline constexpr std::array<std::uint64_t, 16> first_elements{0,
                                                              1,
                                                              8,
                                                              5,
                                                              32,
                                                              37,
                                                              250,
                                                              256,
                                                              511,
                                                              100003,
                                                              (std::uint64_t{1} << 32) - 77,
                                                              (std::uint64_t{1} << 34) - 128,
                                                              (std::uint64_t{1} << 40) + 9,
                                                              (std::uint64_t{1} << 63) - 200,
                                                              (std::uint64_t{1} << 63) + 1,
                                                              ~std::uint64_t{0} - 2000000};

template <class Array>
auto pick(const Array& values, std::mt19937& engine) {
  return values[engine() % values.size()];
}

inline reference::MaskSpec random_spec(std::mt19937& engine) {
  const auto word = [&engine] { return (std::uint64_t{engine()} << 32) | engine(); };
  reference::MaskSpec spec;
  spec.seed = word();
  spec.stream = word();
  spec.first = pick(first_elements, engine);
  spec.keep_prob = pick(keep_probs, engine);
  spec.rule = engine() % 2 == 0 ? reference::Rule::dyadic : reference::Rule::words;
  spec.rounds = engine() % 2 == 0 ? 10 : 7;
  return spec;
}

}  // namespace test

// Prints a MaskSpec when an assertion of the scope fails.
#define INFO_SPEC(spec)                                                                            \
  INFO("seed ", (spec).seed, ", stream ", (spec).stream, ", first ", (spec).first, ", keep_prob ", \
       (spec).keep_prob, ", rule ", static_cast<int>((spec).rule), ", rounds ", (spec).rounds)
