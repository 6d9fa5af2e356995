// Masks as samples of a Bernoulli variable: what is counted in them, each count as a p-value.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "helpers/public_mask.h"
#include "helpers/statistics.h"
#include "simdrop/mask.hpp"

namespace test {

// How many p-values each test case of the suite judges. A run is a false alarm if any of them is
// below `alarm`: by the union bound, less than once in a million seeds.
namespace planned {
inline constexpr int keep_rate = 11 * 2 * 2;
inline constexpr int near_ends = 10;
inline constexpr int fine_rate = 1;
inline constexpr int planes = 6 * 2 * 5;
inline constexpr int blocks = 6 * 2 * 3 * 2;
inline constexpr int gaps = 6 * 2 * 2;
inline constexpr int lags = 5 * 2 * 70 * 2;
inline constexpr int pairs = 3 * 2 * 256;
inline constexpr int rows = 3 * 2 * 3 * (1 + 4 * 2);
inline constexpr int streams = 4 * 2 * 5 * 2;
inline constexpr int controls = 300;
inline constexpr int total = keep_rate + near_ends + fine_rate + planes + blocks + gaps + lags +
                             pairs + rows + streams + controls;
}  // namespace planned

inline constexpr double alarm = 1e-6 / planned::total;

inline constexpr std::array rules{simdrop::MaskRule{0}, simdrop::MaskRule::words};

// A mask in 64-bit words, element i in bit i % 64 of word i / 64.
class Bits {
 public:
  Bits(const std::vector<std::uint8_t>& mask, std::size_t n) : size_(n), words_(n / 64 + 2) {
    for (std::size_t i = 0; i < mask.size(); ++i) {
      words_[i / 8] |= std::uint64_t{mask[i]} << (8 * (i % 8));
    }
  }

  Bits(const simdrop::Dropout& dropout, std::size_t n) : Bits(api_mask(dropout, n), n) {}

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::size_t words() const { return (size_ + 63) / 64; }

  // Elements first ... first + 63; 0 beyond the end.
  [[nodiscard]] std::uint64_t word(std::size_t first) const {
    const std::size_t shift = first % 64;
    const std::uint64_t low = words_[first / 64] >> shift;
    return shift == 0 ? low : low | (words_[first / 64 + 1] << (64 - shift));
  }

  [[nodiscard]] bool operator[](std::size_t i) const { return ((word(i) & 1U) != 0); }

  void set(std::size_t i, bool value) {
    const std::uint64_t bit = std::uint64_t{1} << (i % 64);
    words_[i / 64] = value ? words_[i / 64] | bit : words_[i / 64] & ~bit;
  }

  // Elements first ... first + n - 1.
  [[nodiscard]] Bits slice(std::size_t first, std::size_t n) const {
    Bits part(std::vector<std::uint8_t>{}, n);
    for (std::size_t i = 0; i < n; i += 64) {
      const std::uint64_t inside =
          n - i < 64 ? (std::uint64_t{1} << (n - i)) - 1 : ~std::uint64_t{0};
      part.words_[i / 64] = word(first + i) & inside;
    }
    return part;
  }

 private:
  std::size_t size_;
  std::vector<std::uint64_t> words_;
};

inline double ones(std::uint64_t word) {
  return static_cast<double>(std::popcount(word));
}

inline double count_of(const Bits& bits) {
  double count = 0.0;
  for (std::size_t w = 0; w < bits.words(); ++w) count += ones(bits.word(64 * w));
  return count;
}

// The mask's own probability is within 2^-33 of p: no count here is large enough to tell.
inline double rate_tail(const Bits& bits, double p) {
  return binomial_tail(count_of(bits), static_cast<double>(bits.size()), p);
}

// How often each of `planes` (a multiple of 64) consecutive elements is kept: eight counters of 8
// bits are added to at a time.
class PlaneCounter {
 public:
  explicit PlaneCounter(std::size_t planes) : counts_(planes), lanes_(planes / 8) {
    for (std::size_t byte = 0; byte < spread_.size(); ++byte) {
      for (std::size_t j = 0; j < 8; ++j) {
        spread_[byte] |= std::uint64_t{(byte >> j) & 1U} << (8 * j);
      }
    }
  }

  void add(const Bits& bits, std::size_t first) {
    for (std::size_t w = 0; w < lanes_.size() / 8; ++w) {
      const std::uint64_t word = bits.word(first + 64 * w);
      for (std::size_t j = 0; j < 8; ++j) lanes_[8 * w + j] += spread_[(word >> (8 * j)) & 255U];
    }
    if (++added_ == 255) flush();
  }

  const std::vector<double>& counts() {
    flush();
    return counts_;
  }

 private:
  void flush() {
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      counts_[i] += static_cast<double>((lanes_[i / 8] >> (8 * (i % 8))) & 255U);
    }
    for (std::uint64_t& lane : lanes_) lane = 0;
    added_ = 0;
  }

  std::vector<double> counts_;
  std::vector<std::uint64_t> lanes_;
  std::array<std::uint64_t, 256> spread_{};
  int added_ = 0;
};

// Elements kept at each place of a byte, of 32 and 64 bits and of a block of 256; and the place
// of the 256 that is furthest off.
inline std::array<double, 5> plane_tails(const Bits& bits, double p) {
  PlaneCounter counter(256);
  for (std::size_t first = 0; first + 256 <= bits.size(); first += 256) counter.add(bits, first);
  const std::vector<double>& counts = counter.counts();
  const std::size_t blocks = bits.size() / 256;
  std::array<double, 5> tails{};
  std::size_t at = 0;
  for (const std::size_t planes : {8U, 32U, 64U, 256U}) {
    const std::size_t of_each = counts.size() / planes;
    const auto n = static_cast<double>(blocks * of_each);
    double chi_square = 0.0;
    for (std::size_t plane = 0; plane < planes; ++plane) {
      double off = -n * p;
      for (std::size_t i = plane; i < counts.size(); i += planes) off += counts[i];
      chi_square += off * off / (n * p * (1.0 - p));
    }
    tails[at++] = chi_square_tail(chi_square, static_cast<double>(planes));
  }
  const auto [least, greatest] = std::minmax_element(counts.begin(), counts.end());
  tails[at] = extremes_tail(*least, *greatest, 256.0, static_cast<double>(blocks), p);
  return tails;
}

// Elements kept in each block of so many (a multiple of 64): their distribution, and the block
// that is furthest off.
inline std::array<double, 2> block_tails(const Bits& bits, double p, std::size_t block) {
  std::vector<double> blocks_with(block + 1);
  for (std::size_t first = 0; first + block <= bits.size(); first += block) {
    int count = 0;
    for (std::size_t i = 0; i < block; i += 64) count += std::popcount(bits.word(first + i));
    ++blocks_with[static_cast<std::size_t>(count)];
  }
  const std::size_t blocks = bits.size() / block;
  const auto seen = [](double number) { return number > 0.0; };
  const auto least = std::find_if(blocks_with.begin(), blocks_with.end(), seen);
  const auto greatest = std::find_if(blocks_with.rbegin(), blocks_with.rend(), seen);
  return {goodness_of_fit(blocks_with, binomial_shares(block, p)),
          extremes_tail(static_cast<double>(least - blocks_with.begin()),
                        static_cast<double>(blocks_with.rend() - greatest) - 1.0,
                        static_cast<double>(blocks), static_cast<double>(block), p)};
}

// How many elements of the other value precede each of the given one, which has probability
// `share`: as many gaps as 4/5 of the elements can be expected to hold, as a stop at the mask's end
// would favour short ones.
inline double gap_tail(const Bits& bits, bool value, double share) {
  constexpr std::size_t cells = 4096;
  std::vector<double> gaps(cells);
  auto wanted = static_cast<std::size_t>(0.8 * share * static_cast<double>(bits.size()));
  std::size_t next = 0;
  for (std::size_t first = 0; first + 64 <= bits.size() && wanted > 0; first += 64) {
    std::uint64_t word = value ? bits.word(first) : ~bits.word(first);
    for (; word != 0 && wanted > 0; word &= word - 1, --wanted) {
      const std::size_t at = first + static_cast<std::size_t>(std::countr_zero(word));
      ++gaps[std::min(at - next, cells - 1)];
      next = at + 1;
    }
  }
  if (wanted > 0) return 0.0;
  return goodness_of_fit(gaps, geometric_shares(cells, share));
}

}  // namespace test
