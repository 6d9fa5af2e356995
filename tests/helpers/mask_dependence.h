// Elements of a mask, rows of it and whole masks against each other, as p-values.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "helpers/mask_statistics.h"

namespace test {

// Pairs of elements of which no two share one: so their covariances are independent terms.
struct DisjointPairs {
  double pairs = 0.0;
  double kept = 0.0;  // of both places together
  double both = 0.0;

  void add(std::uint64_t a, std::uint64_t b, std::uint64_t inside) {
    pairs += ones(inside);
    kept += ones(a & inside) + ones(b & inside);
    both += ones(a & b & inside);
  }
  // The sum of (a - p) (b - p).
  [[nodiscard]] double covariance(double p) const { return both - p * kept + p * p * pairs; }
  [[nodiscard]] double tail(double p) const {
    const double variance = p * (1.0 - p);
    const double largest = std::max(p, 1.0 - p);
    return sum_tail(covariance(p), pairs * variance * variance, largest * largest);
  }
};

// Elements i and i + lag, for i in even rows of `lag` elements and for i in odd ones: together all
// that are so far apart.
inline std::array<double, 2> lag_tails(const Bits& bits, double p, std::size_t lag) {
  std::vector<std::uint64_t> even_rows(2 * lag);
  for (std::size_t i = 0; i < 64 * even_rows.size(); ++i) {
    if (i / lag % 2 == 0) even_rows[i / 64] |= std::uint64_t{1} << (i % 64);
  }
  DisjointPairs even;
  DisjointPairs odd;
  std::size_t w = 0;
  for (std::size_t first = 0; first + 64 + lag <= bits.size(); first += 64) {
    even.add(bits.word(first), bits.word(first + lag), even_rows[w]);
    odd.add(bits.word(first), bits.word(first + lag), ~even_rows[w]);
    w = w + 1 == even_rows.size() ? 0 : w + 1;
  }
  return {even.tail(p), odd.tail(p)};
}

// Every two places of a block of 256, over all blocks. Places i and i ^ d, d = 1 ... 255, are 128
// pairs without a place in common, so the sum of their squared standard covariances is
// chi-square; the last p-value is that of the pair furthest off. Blocks: a multiple of 64.
inline std::vector<double> block_pair_tails(const Bits& bits, double p) {
  const std::size_t blocks = bits.size() / 256;
  std::vector<std::vector<std::uint64_t>> places(256, std::vector<std::uint64_t>(blocks / 64));
  for (std::size_t i = 0; i < 256 * blocks; ++i) {
    places[i % 256][i / 256 / 64] |= std::uint64_t{bits[i]} << (i / 256 % 64);
  }
  std::vector<double> tails;
  double least = 1.0;
  for (std::size_t d = 1; d < 256; ++d) {
    double chi_square = 0.0;
    for (std::size_t i = 0; i < 256; ++i) {
      if (i > (i ^ d)) continue;
      DisjointPairs pairs;
      for (std::size_t w = 0; w < blocks / 64; ++w) {
        pairs.add(places[i][w], places[i ^ d][w], ~std::uint64_t{0});
      }
      const double covariance = pairs.covariance(p) / (p * (1.0 - p));
      chi_square += covariance * covariance / pairs.pairs;
      least = std::min(least, pairs.tail(p));
    }
    tails.push_back(chi_square_tail(chi_square, 128.0));
  }
  tails.push_back(std::min(1.0, least * 255.0 * 128.0));
  return tails;
}

// Masks of one size: of all pairs, the one whose number of differing elements is furthest off.
inline double pairwise_tail(const std::vector<Bits>& masks, double p) {
  const auto n = static_cast<double>(masks.front().size());
  double least = n;
  double greatest = 0.0;
  for (std::size_t a = 0; a < masks.size(); ++a) {
    for (std::size_t b = 0; b < a; ++b) {
      double differing = 0.0;
      for (std::size_t first = 0; first < masks[a].size(); first += 64) {
        differing += ones(masks[a].word(first) ^ masks[b].word(first));
      }
      least = std::min(least, differing);
      greatest = std::max(greatest, differing);
    }
  }
  const auto count = static_cast<double>(masks.size());
  return extremes_tail(least, greatest, count * (count - 1.0) / 2.0, n, 2.0 * p * (1.0 - p));
}

// How many of the masks keep an element: what all of them share adds up here.
inline double together_tail(const std::vector<Bits>& masks, double p) {
  PlaneCounter counter(masks.front().size());
  for (const Bits& mask : masks) counter.add(mask, 0);
  std::vector<double> elements_with(masks.size() + 1);
  for (const double kept : counter.counts()) ++elements_with[static_cast<std::size_t>(kept)];
  return goodness_of_fit(elements_with, binomial_shares(masks.size(), p));
}

inline std::vector<Bits> rows_of(const Bits& bits, std::size_t rows, std::size_t columns) {
  std::vector<Bits> result;
  for (std::size_t row = 0; row < rows; ++row) {
    result.push_back(bits.slice(row * columns, columns));
  }
  return result;
}

}  // namespace test
