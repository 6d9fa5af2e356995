// philox_fill: any offset, any split, any number of threads.
#include <doctest/doctest.h>

#include <cstdint>
#include <random>
#include <span>
#include <vector>

#include "helpers/compare.h"
#include "helpers/expect_invalid.h"
#include "reference/philox_reference.h"
#include "simdrop/rng.hpp"

namespace {

using simdrop::PhiloxRounds;
using simdrop::Stream;

constexpr Stream test_stream{.seed = 0x0123456789ABCDEF, .id = 0xFEDCBA9876543210};

std::vector<std::uint32_t> words_of(std::uint64_t first, std::size_t n,
                                    PhiloxRounds rounds = PhiloxRounds::ten, int num_threads = 1) {
  std::vector<std::uint32_t> words(n, 0xAAAAAAAA);
  simdrop::philox_fill(test_stream, first, words, rounds, num_threads);
  return words;
}

}  // namespace

TEST_SUITE("philox") {
  TEST_CASE("philox_fill at offsets beside 2^32, 2^34, 2^63, and wrapping at 2^64 words") {
    constexpr std::uint64_t one = 1;
    for (const std::uint64_t edge :
         {std::uint64_t{100}, one << 32, one << 34, one << 63, std::uint64_t{0}}) {
      for (std::uint64_t before = 0; before <= 70; ++before) {
        const std::uint64_t first = edge - before;
        for (const auto rounds : {PhiloxRounds::seven, PhiloxRounds::ten}) {
          std::vector<std::uint32_t> want(131);
          for (std::size_t i = 0; i < want.size(); ++i) {
            want[i] = reference::stream_word(test_stream.seed, test_stream.id, first + i,
                                             static_cast<int>(rounds));
          }
          CAPTURE(first);
          CHECK(words_of(first, want.size(), rounds) == want);
        }
      }
    }
  }

  TEST_CASE("philox_fill: any split gives the same words") {
    constexpr std::size_t n = 20011;
    const std::uint64_t first = (std::uint64_t{1} << 34) - 5003;
    const auto whole = words_of(first, n);
    std::mt19937 engine(71);
    for (std::size_t begin = 0; begin < n;) {
      const std::size_t count = std::min<std::size_t>(n - begin, engine() % 400);
      const auto part = words_of(first + begin, count);
      const auto want = std::span(whole).subspan(begin, count);
      CAPTURE(begin);
      CHECK(test::first_difference<std::uint32_t>(part, want) == test::no_difference);
      begin += count;
    }
  }

  TEST_CASE("philox_fill: 1 ... 8 threads give the same words") {
    constexpr std::size_t n = (std::size_t{1} << 18) + 37;
    for (const std::uint64_t first : {std::uint64_t{3}, std::uint64_t{0} - 100001}) {
      const auto want = words_of(first, n);
      for (int num_threads = 2; num_threads <= 8; ++num_threads) {
        CAPTURE(num_threads);
        CHECK(words_of(first, n, PhiloxRounds::ten, num_threads) == want);
      }
    }
  }

  TEST_CASE("philox_fill: misuse names the argument and writes nothing") {
    std::vector<std::uint32_t> words(9, 5);
    test::expect_invalid("rounds", "8", [&] {
      simdrop::philox_fill(test_stream, 0, words, static_cast<PhiloxRounds>(8));
    });
    test::expect_invalid("threads.count", "-1", [&] {
      simdrop::philox_fill(test_stream, 0, words, PhiloxRounds::ten, -1);
    });
    test::expect_invalid("threads.count", "-3", [&] {
      simdrop::philox_fill(test_stream, 0, words, PhiloxRounds::ten, -3);
    });
    CHECK(words == std::vector<std::uint32_t>(9, 5));
  }
}
