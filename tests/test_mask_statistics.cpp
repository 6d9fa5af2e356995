// Masks as samples of a Bernoulli variable: each count within 4 standard deviations of its mean.
// The seeds are fixed, so a run is not a matter of luck.
#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

#include "api.h"
#include "simdrop/mask.hpp"

namespace {

using simdrop::Dropout;
using simdrop::MaskRule;
using simdrop::PhiloxRounds;
using test::api_mask;

double count_of(const std::vector<std::uint8_t>& bits) {
  std::uint64_t count = 0;
  std::size_t i = 0;
  for (; i + 8 <= bits.size(); i += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bits.data() + i, sizeof word);
    count += static_cast<unsigned>(std::popcount(word));
  }
  for (; i < bits.size(); ++i) count += static_cast<unsigned>(std::popcount(bits[i]));
  return static_cast<double>(count);
}

// (count - mean) / sigma of a binomial count.
double binomial_z(double count, double n, double p) {
  return (count - n * p) / std::sqrt(n * p * (1.0 - p));
}

std::vector<std::uint8_t> and_not(const std::vector<std::uint8_t>& a,
                                  const std::vector<std::uint8_t>& b) {
  std::vector<std::uint8_t> result(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    result[i] = static_cast<std::uint8_t>(a[i] & ~b[i]);
  }
  return result;
}

void check_rate(double keep_prob, MaskRule rule, PhiloxRounds rounds) {
  // 2^26 at 1e-6 keeps 67 on average; 2^22 elsewhere keeps at least 40,000.
  const std::size_t n = std::size_t{1} << (keep_prob < 1e-3 ? 26 : 22);
  const Dropout dropout{.keep_prob = keep_prob, .stream = {12, 34}, .rule = rule, .rounds = rounds};
  const double z = binomial_z(count_of(api_mask(dropout, n, 2)), static_cast<double>(n), keep_prob);
  CAPTURE(keep_prob);
  CAPTURE(static_cast<int>(rule));
  CAPTURE(static_cast<int>(rounds));
  CHECK(std::fabs(z) < 4.0);
}

// Standardised covariance of bits that lie `lag` apart.
double lag_z(const std::vector<std::uint8_t>& bits, std::size_t n, std::size_t lag, double p) {
  double covariance = 0.0;
  const auto centred = [&](std::size_t i) { return (simdrop::mask_bit(bits, i) ? 1.0 : 0.0) - p; };
  for (std::size_t i = 0; i + lag < n; ++i) covariance += centred(i) * centred(i + lag);
  return covariance / (p * (1.0 - p) * std::sqrt(static_cast<double>(n - lag)));
}

// Two independent masks differ in a share 2 p (1 - p) of their bits.
void check_independent(const Dropout& a, const Dropout& b) {
  constexpr std::size_t n = std::size_t{1} << 20;
  const auto first = api_mask(a, n);
  const auto second = api_mask(b, n);
  const double differing = count_of(and_not(first, second)) + count_of(and_not(second, first));
  const double p = a.keep_prob;
  CAPTURE(p);
  CHECK(std::fabs(binomial_z(differing, static_cast<double>(n), 2.0 * p * (1.0 - p))) < 4.0);
}

}  // namespace

TEST_SUITE("mask statistics") {
  TEST_CASE("keep rate") {
    for (const double keep_prob : {.999, .9, .8, .75, .5, .3, .25, .1, .01, 1e-6}) {
      for (const auto rule : {MaskRule::digits, MaskRule::words}) {
        for (const auto rounds : {PhiloxRounds::seven, PhiloxRounds::ten}) {
          check_rate(keep_prob, rule, rounds);
        }
      }
    }
  }

  TEST_CASE("bits 1, 2, 8, 32 and 256 apart are uncorrelated") {
    constexpr std::size_t n = std::size_t{1} << 20;
    for (const double keep_prob : {.5, .9, .3, .75, .01}) {
      for (const auto rule : {MaskRule::digits, MaskRule::words}) {
        const auto bits = api_mask({.keep_prob = keep_prob, .stream = {56, 78}, .rule = rule}, n);
        for (const std::size_t lag : {1U, 2U, 8U, 32U, 256U}) {
          CAPTURE(keep_prob);
          CAPTURE(lag);
          CHECK(std::fabs(lag_z(bits, n, lag, keep_prob)) < 4.0);
        }
      }
    }
  }

  TEST_CASE("other seeds, streams, rounds and offsets give independent masks") {
    for (const double keep_prob : {0.5, 0.9, 0.3, 0.01}) {
      const Dropout base{.keep_prob = keep_prob, .stream = {1000, 2000}};
      for (const std::uint64_t bit : {std::uint64_t{1}, std::uint64_t{1} << 31,
                                      std::uint64_t{1} << 32, std::uint64_t{1} << 63}) {
        Dropout other = base;
        other.stream.seed ^= bit;
        check_independent(base, other);
        other = base;
        other.stream.id ^= bit;
        check_independent(base, other);
      }
      Dropout other = base;
      other.rounds = PhiloxRounds::seven;
      check_independent(base, other);
      other = base;
      other.first = std::uint64_t{1} << 40;
      check_independent(base, other);
      other = base;
      other.stream = {base.stream.id, base.stream.seed};
      check_independent(base, other);
    }
  }

  // With d = 8 digits all of these share the slabs, so a larger keep_prob keeps a superset; what
  // lies between 0x80/256 and 0x81/256 are the ties.
  TEST_CASE("a tie is kept with the probability that the digits after the eighth give") {
    constexpr std::size_t n = std::size_t{1} << 24;
    const auto mask_of = [](double keep_prob) {
      return api_mask({.keep_prob = keep_prob, .stream = {90, 12}}, n, 2);
    };
    const auto least = mask_of(0x0.80000001p0);
    const auto ties = and_not(mask_of(0x0.81p0), least);
    const double tie_count = count_of(ties);
    CHECK(std::fabs(binomial_z(tie_count, static_cast<double>(n), 1.0 / 256)) < 4.0);
    auto smaller = least;
    for (const double share : {1.0 / 16, 1.0 / 8, 1.0 / 2, 15.0 / 16, 0.999}) {
      const auto larger = mask_of(0.5 + share / 256);
      CAPTURE(share);
      CHECK(count_of(and_not(smaller, larger)) == 0.0);
      CHECK(count_of(and_not(and_not(larger, least), ties)) == 0.0);
      CHECK(std::fabs(binomial_z(count_of(and_not(larger, least)), tie_count, share)) < 4.0);
      smaller = larger;
    }
  }

  TEST_CASE("keep_prob 0.5 + 2^-12 is told from 0.5") {
    constexpr std::size_t n = std::size_t{1} << 26;
    const double keep_prob = 0.5 + 0x1p-12;
    const double kept = count_of(api_mask({.keep_prob = keep_prob, .stream = {5, 5}}, n, 2));
    CHECK(std::fabs(binomial_z(kept, static_cast<double>(n), keep_prob)) < 4.0);
  }
}
