// Masks as samples of a Bernoulli variable, one element or one block at a time. The seeds are
// fixed, so a run is not a matter of luck.
#include <doctest/doctest.h>

#include <array>
#include <cstddef>

#include "helpers/mask_statistics.h"
#include "simdrop/mask.hpp"

namespace {

using simdrop::PhiloxRounds;
using test::Bits;

constexpr std::array sample_probs{.5, .75, .9, .7, .3, .01};

}  // namespace

TEST_SUITE("mask statistics") {
  TEST_CASE("keep rate") {
    int judged = 0;
    for (const double keep_prob : {.999, .9, .8, .75, .7, .5, .3, .25, .1, .01, 1e-6}) {
      for (const auto rule : test::rules) {
        for (const auto rounds : {PhiloxRounds::seven, PhiloxRounds::ten}) {
          // 2^26 at 1e-6 keeps 67 on average; 2^22 elsewhere keeps at least 40,000.
          const std::size_t n = std::size_t{1} << (keep_prob < 1e-3 ? 26 : 22);
          const Bits bits(
              {.keep_prob = keep_prob, .stream = {12, 34}, .rule = rule, .rounds = rounds}, n);
          CAPTURE(keep_prob);
          CAPTURE(static_cast<int>(rule));
          CAPTURE(static_cast<int>(rounds));
          CHECK(test::rate_tail(bits, keep_prob) > test::alarm);
          ++judged;
        }
      }
    }
    CHECK(judged == test::planned::keep_rate);
  }

  // Here the later binary digits of keep_prob decide.
  TEST_CASE("keep rate within 1/256 of 0 and of 1") {
    int judged = 0;
    for (const double share : {1.0 / 16, 1.0 / 3, 1.0 / 2, 15.0 / 16, 0.999}) {
      for (const double keep_prob : {share / 256, 1.0 - share / 256}) {
        const Bits bits({.keep_prob = keep_prob, .stream = {90, 12}}, std::size_t{1} << 24);
        CAPTURE(keep_prob);
        CHECK(test::rate_tail(bits, keep_prob) > test::alarm);
        ++judged;
      }
    }
    CHECK(judged == test::planned::near_ends);
  }

  TEST_CASE("keep_prob 0.5 + 2^-10 is told from 0.5") {
    const double keep_prob = 0.5 + 0x1p-10;
    const Bits bits({.keep_prob = keep_prob, .stream = {5, 5}}, std::size_t{1} << 25);
    CHECK(test::rate_tail(bits, keep_prob) > test::alarm);
    CHECK(test::rate_tail(bits, 0.5) < test::alarm);
    CHECK(test::planned::fine_rate == 1);
  }

  TEST_CASE("every bit plane has the keep rate") {
    int judged = 0;
    for (const double keep_prob : sample_probs) {
      for (const auto rule : test::rules) {
        const Bits bits({.keep_prob = keep_prob, .stream = {21, 43}, .rule = rule},
                        std::size_t{1} << 24);
        for (const double tail : test::plane_tails(bits, keep_prob)) {
          CAPTURE(keep_prob);
          CAPTURE(static_cast<int>(rule));
          CHECK(tail > test::alarm);
          ++judged;
        }
      }
    }
    CHECK(judged == test::planned::planes);
  }

  TEST_CASE("the number kept of 64, 256 and 1024 neighbours is binomial") {
    int judged = 0;
    for (const double keep_prob : sample_probs) {
      for (const auto rule : test::rules) {
        const Bits bits({.keep_prob = keep_prob, .stream = {65, 87}, .rule = rule},
                        std::size_t{1} << 24);
        for (const std::size_t block : {64U, 256U, 1024U}) {
          for (const double tail : test::block_tails(bits, keep_prob, block)) {
            CAPTURE(keep_prob);
            CAPTURE(static_cast<int>(rule));
            CAPTURE(block);
            CHECK(tail > test::alarm);
            ++judged;
          }
        }
      }
    }
    CHECK(judged == test::planned::blocks);
  }

  TEST_CASE("gaps between dropped elements, and between kept ones, are geometric") {
    int judged = 0;
    for (const double keep_prob : {.999, .9, .75, .5, .3, .01}) {
      for (const auto rule : test::rules) {
        const Bits bits({.keep_prob = keep_prob, .stream = {31, 13}, .rule = rule},
                        std::size_t{1} << 22);
        for (const bool kept : {false, true}) {
          const double share = kept ? keep_prob : 1.0 - keep_prob;
          CAPTURE(keep_prob);
          CAPTURE(static_cast<int>(rule));
          CAPTURE(kept);
          CHECK(test::gap_tail(bits, kept, share) > test::alarm);
          ++judged;
        }
      }
    }
    CHECK(judged == test::planned::gaps);
  }
}
