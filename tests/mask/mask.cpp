// bernoulli_mask: a pure function of (stream, element, keep_prob), however it is called.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <span>
#include <thread>
#include <vector>

#include "helpers/compare.h"
#include "helpers/expect_invalid.h"
#include "helpers/mask_cases.h"
#include "helpers/public_mask.h"
#include "reference/mask_reference.h"
#include "simdrop/mask.hpp"

namespace {

using simdrop::Dropout;
using test::api_mask;

// Bits first - from.first ... of a mask as one more mask.
std::vector<std::uint8_t> sub_mask(const std::vector<std::uint8_t>& bits, std::size_t first,
                                   std::size_t n) {
  std::vector<std::uint8_t> part(simdrop::mask_bytes(n), 0);
  for (std::size_t i = 0; i < n; ++i) {
    if (simdrop::mask_bit(bits, first + i)) {
      part[i / 8] = static_cast<std::uint8_t>(part[i / 8] | (1U << (i % 8)));
    }
  }
  return part;
}

}  // namespace

TEST_SUITE("mask") {
  TEST_CASE("equals the oracle for every keep_prob and offset") {
    std::mt19937 engine(81);
    for (const double keep_prob : test::keep_probs) {
      for (const std::uint64_t first : test::first_elements) {
        reference::MaskSpec spec = test::random_spec(engine);
        spec.keep_prob = keep_prob;
        spec.first = first;
        const std::size_t n = 400 + engine() % 9;
        INFO_SPEC(spec);
        CHECK(api_mask(test::to_dropout(spec), n) == reference::mask(spec, n));
      }
    }
  }

  TEST_CASE("element indices wrap at 2^64") {
    for (const auto rule : {reference::Rule::dyadic, reference::Rule::words}) {
      for (const double keep_prob : {0.5, 0.75, 0.9, 0.3}) {
        for (const std::uint64_t before : {1U, 7U, 8U, 100U, 255U, 256U, 257U, 300U, 10007U}) {
          const reference::MaskSpec spec{1, 2, std::uint64_t{0} - before, keep_prob, rule, 10};
          INFO_SPEC(spec);
          const std::size_t n = before + 600;
          CHECK(api_mask(test::to_dropout(spec), n) == reference::mask(spec, n));
        }
      }
    }
  }

  TEST_CASE("any split gives the same bits") {
    constexpr std::size_t n = 70001;
    std::mt19937 engine(82);
    for (int variant = 0; variant < 12; ++variant) {
      Dropout dropout = test::to_dropout(test::random_spec(engine));
      const std::uint64_t first = dropout.first;
      const auto whole = api_mask(dropout, n);
      CAPTURE(dropout.keep_prob);
      for (std::size_t begin = 0; begin < n;) {
        const std::size_t count = std::min<std::size_t>(n - begin, engine() % 3000);
        dropout.first = first + begin;
        CAPTURE(begin);
        CHECK(api_mask(dropout, count) == sub_mask(whole, begin, count));
        begin += count;
      }
    }
  }

  TEST_CASE("1 ... 8 threads give the same bits") {
    constexpr std::size_t n = (std::size_t{1} << 20) + 13;
    for (const double keep_prob : {0.5, 0.9, 1e-6, 0.0, 1.0}) {
      for (const std::uint64_t first : {std::uint64_t{5}, std::uint64_t{0} - 500001}) {
        const Dropout dropout{.keep_prob = keep_prob, .stream = {1, 2}, .first = first};
        const auto want = api_mask(dropout, n);
        for (int num_threads = 2; num_threads <= 8; ++num_threads) {
          CAPTURE(num_threads);
          CAPTURE(keep_prob);
          CHECK(api_mask(dropout, n, num_threads) == want);
        }
      }
    }
  }

  TEST_CASE("calls from several threads at once give the same bits") {
    const Dropout dropout{.keep_prob = 0.9, .stream = {3, 4}};
    constexpr std::size_t n = 300007;
    const auto want = api_mask(dropout, n);
    std::vector<std::vector<std::uint8_t>> got(4);
    std::vector<std::thread> threads;
    for (auto& bits : got) {
      threads.emplace_back([&bits, &dropout] { bits = api_mask(dropout, n, 2); });
    }
    for (auto& thread : threads) thread.join();
    for (const auto& bits : got) CHECK(bits == want);
  }

  TEST_CASE("keep_prob 0 and 1 are exact, unused bits are 0") {
    for (std::size_t n = 0; n < 80; ++n) {
      for (const auto rule : {simdrop::MaskRule::dyadic, simdrop::MaskRule::words}) {
        const Dropout none{.keep_prob = 0.0, .stream = {1, 1}, .rule = rule};
        const Dropout all{.keep_prob = 1.0, .stream = {1, 1}, .rule = rule};
        std::vector<std::uint8_t> ones(simdrop::mask_bytes(n), 0xFF);
        if (n % 8 != 0) ones.back() = static_cast<std::uint8_t>((1U << (n % 8)) - 1);
        CHECK(api_mask(none, n) == std::vector<std::uint8_t>(simdrop::mask_bytes(n), 0));
        CHECK(api_mask(all, n) == ones);
      }
    }
  }

  TEST_CASE("misuse names the argument and its value, and writes nothing") {
    std::vector<std::uint8_t> mask(4, 0x5A);
    const std::span<std::uint8_t> bits(mask);
    const double inf = std::numeric_limits<double>::infinity();
    const auto with = [&](double keep_prob) {
      return [&, keep_prob] { simdrop::bernoulli_mask({.keep_prob = keep_prob}, 32, bits); };
    };
    test::expect_invalid("keep_prob", "nan", with(std::nan("")));
    test::expect_invalid("keep_prob", "-0.1", with(-0.1));
    test::expect_invalid("keep_prob", "1.5", with(1.5));
    test::expect_invalid("keep_prob", "inf", with(inf));
    test::expect_invalid("keep_prob", "-inf", with(-inf));
    test::expect_invalid("keep_prob", "1.0000000000000002", with(std::nextafter(1.0, 2.0)));
    test::expect_invalid("mask", "4", [&] { simdrop::bernoulli_mask({}, 33, bits); });
    test::expect_invalid("mask", "4", [&] { simdrop::bernoulli_mask({}, 24, bits); });
    test::expect_invalid("mask", "4", [&] { simdrop::bernoulli_mask({}, 0, bits); });
    test::expect_invalid("threads.count", "-1", [&] { simdrop::bernoulli_mask({}, 32, bits, -1); });
    test::expect_invalid("rule", "2", [&] {
      simdrop::bernoulli_mask({.rule = static_cast<simdrop::MaskRule>(2)}, 32, bits);
    });
    test::expect_invalid("rounds", "9", [&] {
      simdrop::bernoulli_mask({.rounds = static_cast<simdrop::PhiloxRounds>(9)}, 32, bits);
    });
    CHECK(mask == std::vector<std::uint8_t>(4, 0x5A));
  }

  TEST_CASE("-0 is keep_prob 0") {
    CHECK(api_mask({.keep_prob = -0.0}, 64) == std::vector<std::uint8_t>(8, 0));
  }
}
