// Elements, rows and masks against each other: nothing of one tells anything of another.
#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "helpers/mask_dependence.h"
#include "helpers/mask_statistics.h"
#include "simdrop/mask.hpp"

namespace {

using simdrop::Dropout;
using simdrop::PhiloxRounds;
using simdrop::Stream;
using test::Bits;

std::vector<Bits> masks_of(Dropout dropout, const std::vector<Stream>& streams) {
  std::vector<Bits> masks;
  for (const Stream& stream : streams) {
    dropout.stream = stream;
    masks.emplace_back(dropout, std::size_t{1} << 17);
  }
  return masks;
}

// Groups of streams that differ by little.
std::vector<std::vector<Stream>> stream_groups() {
  constexpr Stream base{.seed = 1000, .id = 2000};
  std::vector<std::vector<Stream>> groups{{}, {}, {base}, {base}};
  for (std::uint64_t i = 0; i < 32; ++i) {
    groups[0].push_back({.seed = 7, .id = i});
    groups[1].push_back({.seed = i, .id = 7});
  }
  for (int bit = 0; bit < 64; ++bit) {
    groups[2].push_back({.seed = base.seed, .id = base.id ^ (std::uint64_t{1} << bit)});
    groups[3].push_back({.seed = base.seed ^ (std::uint64_t{1} << bit), .id = base.id});
  }
  return groups;
}

// What differs in something else than a bit of the stream.
std::vector<Bits> other_masks(const Dropout& base) {
  std::vector<Dropout> all(6, base);
  all[1].rounds = PhiloxRounds::seven;
  all[2].first = std::uint64_t{1} << 32;
  all[3].first = std::uint64_t{1} << 40;
  all[4].first = std::uint64_t{1} << 63;
  all[5].stream = {.seed = base.stream.id, .id = base.stream.seed};
  std::vector<Bits> masks;
  masks.reserve(all.size());
  for (const Dropout& dropout : all) masks.emplace_back(dropout, std::size_t{1} << 17);
  return masks;
}

}  // namespace

TEST_SUITE("mask statistics") {
  TEST_CASE("elements 1 to 64 and up to 1024 apart are uncorrelated") {
    std::vector<std::size_t> lags{128, 255, 256, 257, 512, 1024};
    for (std::size_t lag = 1; lag <= 64; ++lag) lags.push_back(lag);
    int judged = 0;
    for (const double keep_prob : {.5, .9, .3, .75, .01}) {
      for (const auto rule : test::rules) {
        const Bits bits({.keep_prob = keep_prob, .stream = {56, 78}, .rule = rule},
                        std::size_t{1} << 21);
        for (const std::size_t lag : lags) {
          for (const double tail : test::lag_tails(bits, keep_prob, lag)) {
            CAPTURE(keep_prob);
            CAPTURE(static_cast<int>(rule));
            CAPTURE(lag);
            CHECK(tail > test::alarm);
            ++judged;
          }
        }
      }
    }
    CHECK(judged == test::planned::lags);
  }

  TEST_CASE("no two places of a block are correlated") {
    int judged = 0;
    for (const double keep_prob : {.5, .9, .3}) {
      for (const auto rule : test::rules) {
        const Bits bits({.keep_prob = keep_prob, .stream = {9, 10}, .rule = rule},
                        std::size_t{1} << 22);
        for (const double tail : test::block_pair_tails(bits, keep_prob)) {
          CAPTURE(keep_prob);
          CAPTURE(static_cast<int>(rule));
          CHECK(tail > test::alarm);
          ++judged;
        }
      }
    }
    CHECK(judged == test::planned::pairs);
  }

  TEST_CASE("rows of 1024, 784 and 100 elements are independent of each other") {
    int judged = 0;
    for (const double keep_prob : {.5, .9, .3}) {
      for (const auto rule : test::rules) {
        const Bits bits({.keep_prob = keep_prob, .stream = {70, 71}, .rule = rule},
                        std::size_t{1} << 20);
        for (const std::size_t columns : {1024U, 784U, 100U}) {
          CAPTURE(keep_prob);
          CAPTURE(static_cast<int>(rule));
          CAPTURE(columns);
          const auto rows = test::rows_of(bits, 512, columns);
          CHECK(test::pairwise_tail(rows, keep_prob) > test::alarm);
          ++judged;
          for (std::size_t apart = 1; apart <= 4; ++apart) {
            for (const double tail : test::lag_tails(bits, keep_prob, apart * columns)) {
              CAPTURE(apart);
              CHECK(tail > test::alarm);
              ++judged;
            }
          }
        }
      }
    }
    CHECK(judged == test::planned::rows);
  }

  TEST_CASE("other ids, seeds, rounds and offsets give independent masks") {
    int judged = 0;
    const auto judge = [&judged](const std::vector<Bits>& masks, double keep_prob) {
      CHECK(test::pairwise_tail(masks, keep_prob) > test::alarm);
      CHECK(test::together_tail(masks, keep_prob) > test::alarm);
      judged += 2;
    };
    for (const double keep_prob : {.5, .9, .3, .01}) {
      for (const auto rule : test::rules) {
        CAPTURE(keep_prob);
        CAPTURE(static_cast<int>(rule));
        const Dropout base{.keep_prob = keep_prob, .stream = {1000, 2000}, .rule = rule};
        for (const auto& streams : stream_groups()) judge(masks_of(base, streams), keep_prob);
        judge(other_masks(base), keep_prob);
      }
    }
    CHECK(judged == test::planned::streams);
  }
}
