// What a kernel must do at least, counted from the algorithm: its roofline follows from these
// counts and the limits that the same run measures.
#pragma once

#include <cmath>
#include <cstdint>
#include <initializer_list>

namespace simdrop::bench {

// Random bits to an element for the corrections of a block of 256 elements, a Poisson variable of
// this mean: a Philox block of 128 bits has their number and places for 8, every further one places
// for 16.
inline double correction_bits_per_element(double mean) {
  double blocks = 1.0;
  double probability = std::exp(-mean);
  for (int k = 1; k <= 1024; ++k) {
    probability *= mean / k;
    if (k > 8) blocks += probability * ((k - 8 + 15) / 16);
  }
  return blocks * 128.0 / 256.0;
}

// Random bits to an element under MaskRule::dyadic, on average: the digits of the base probability
// that mask.hpp chooses, and the corrections.
inline double random_bits_per_element(double keep_prob) {
  constexpr std::uint64_t one = std::uint64_t{1} << 32;
  const auto t = static_cast<std::uint64_t>(std::nearbyint(std::ldexp(keep_prob, 32)));
  if (t == 0 || t == one) return 0.0;
  std::uint64_t least = ~std::uint64_t{0};
  double bits = 0.0;
  for (unsigned digits = 0; digits <= 8; ++digits) {
    const std::uint64_t unit = one >> digits;
    for (const std::uint64_t base : {t / unit * unit, (t + unit - 1) / unit * unit}) {
      const std::uint64_t delta = t <= base ? base - t : t - base;
      const std::uint64_t from = t <= base ? base : one - base;
      const std::uint64_t cost = (std::uint64_t{digits} << 27) + (delta << 32) / from;
      if (cost >= least) continue;
      least = cost;
      bits = digits;
      if (delta == 0) continue;
      const double probability = static_cast<double>(delta) / static_cast<double>(from);
      bits += correction_bits_per_element(-256.0 * std::log1p(-probability));
    }
  }
  return bits;
}

// A round of Philox4x32 on four vectors of 64-bit lanes is two half rounds, each a multiply, a
// shift (of the product's high half) and a three-way xor: with the other word and the key. A lane
// gets a block of 128 bits from 2 * rounds of them. Not counted: setting up counters. Not deducted:
// what the first rounds share between blocks with equal high counter words.
inline double random_bits_per_second(double half_rounds_per_second, double lanes, int rounds) {
  return half_rounds_per_second / (2.0 * rounds) * lanes * 128.0;
}

// Which measured loop moves a kernel's bytes at best.
enum class Traffic { write, copy, read_two };

struct Work {
  double random_bits = 0.0;   // to an element
  bool stores_words = false;  // the bits are packed into words in order, and stored
  int rounds = 10;
  double bytes = 0.0;  // read and written, to an element
  Traffic traffic = Traffic::copy;
};

struct Roofline {
  double per_second;  // elements
  bool by_memory;
};

// Drawing and moving can overlap at best. bytes_per_second is that of the kernel's traffic,
// bits_per_second that of its random bits.
inline Roofline roofline(const Work& work, double bits_per_second, double bytes_per_second) {
  const double draw = work.random_bits > 0.0 ? work.random_bits / bits_per_second : 0.0;
  const double move = work.bytes / bytes_per_second;
  return {1.0 / std::fmax(draw, move), move > draw};
}

}  // namespace simdrop::bench
