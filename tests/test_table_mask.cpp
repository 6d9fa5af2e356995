// bernoulli_mask of every table against the oracle and the known answers.
#include <doctest/doctest.h>

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "compare.h"
#include "guarded_buffer.h"
#include "mask_cases.h"
#include "mask_reference.h"
#include "philox_reference.h"
#include "tables.h"

namespace {

using simdrop::detail::KernelTable;
using test::Edge;

void check_mask(test::GuardedBuffer<std::uint8_t>& buffer, const reference::MaskSpec& spec,
                std::size_t n, Edge edge, std::size_t offset,
                const std::vector<std::uint8_t>& want) {
  INFO_SPEC(spec);
  CAPTURE(n);
  CAPTURE(offset);
  test::for_each_table([&](const KernelTable& table) {
    const auto bits = buffer.place((n + 7) / 8, edge, offset);
    table.bernoulli_mask(test::mask_source(spec), n, bits.data());
    CHECK(test::first_difference<std::uint8_t>(bits, want) == test::kSame);
    CHECK(buffer.intact());
  });
}

// The 8 + 24 digits that element i draws where T has more than eight: kept iff they are below T.
std::uint32_t drawn_digits(const reference::MaskSpec& spec, std::uint64_t i) {
  std::uint32_t drawn = 0;
  for (std::uint64_t j = 0; j < 8; ++j) {
    const std::uint64_t word = 8 * (8 * (i / 256) + j) + i % 256 / 32;
    const auto slab = reference::stream_word(spec.seed, spec.stream, word, spec.rounds);
    drawn = drawn * 2 + (((slab >> (i % 32)) & 1U) == 0 ? 1 : 0);
  }
  const auto tie = reference::block_word(spec.seed, spec.stream, (std::uint64_t{1} << 63) + i / 4,
                                         static_cast<unsigned>(i % 4), spec.rounds);
  return drawn * (1U << 24) + tie / 256;
}

std::vector<std::uint8_t> from_hex(const std::string& text) {
  std::vector<std::uint8_t> bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    bytes.push_back(static_cast<std::uint8_t>(std::stoul(text.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

}  // namespace

TEST_SUITE("mask tables") {
  TEST_CASE("known answers of masks.txt") {
    std::ifstream file(SIMDROP_TEST_DATA "/masks.txt");
    REQUIRE(file.is_open());
    test::GuardedBuffer<std::uint8_t> buffer(4096);
    int cases = 0;
    for (std::string line; std::getline(file, line);) {
      if (line.empty() || line[0] == '#') continue;
      std::istringstream in(line);
      reference::MaskSpec spec;
      std::size_t n = 0;
      std::string keep_prob, rule, hex;
      in >> spec.seed >> spec.stream >> spec.first >> n >> keep_prob >> rule >> spec.rounds >> hex;
      REQUIRE(in);
      spec.keep_prob = std::strtod(keep_prob.c_str(), nullptr);
      spec.rule = rule == "digits" ? reference::Rule::digits : reference::Rule::words;
      const auto want = from_hex(hex);
      CHECK(test::first_difference<std::uint8_t>(reference::mask(spec, n), want) == test::kSame);
      check_mask(buffer, spec, n, Edge::end, 0, want);
      ++cases;
    }
    CHECK(cases == 100);
  }

  TEST_CASE("every length against the oracle") {
    test::GuardedBuffer<std::uint8_t> buffer(1 << 15);
    std::mt19937 engine(1);
    for (std::size_t n = 0; n <= 600; ++n) {
      for (std::size_t variant = 0; variant < 8; ++variant) {
        const reference::MaskSpec spec = test::random_spec(engine);
        const Edge edge = variant % 2 == 0 ? Edge::end : Edge::start;
        check_mask(buffer, spec, n, edge, variant / 2 * 5, reference::mask(spec, n));
      }
    }
    for (const std::size_t n : {4095UL, 4097UL, 65537UL, 100003UL}) {
      for (int variant = 0; variant < 4; ++variant) {
        const reference::MaskSpec spec = test::random_spec(engine);
        check_mask(buffer, spec, n, Edge::end, 0, reference::mask(spec, n));
      }
    }
  }

  TEST_CASE("every keep_prob, rule, number of rounds and offset") {
    test::GuardedBuffer<std::uint8_t> buffer(4096);
    std::mt19937 engine(2);
    for (const double keep_prob : test::kKeepProbs) {
      for (const std::uint64_t first : test::kFirsts) {
        for (const int rounds : {7, 10}) {
          reference::MaskSpec spec{engine(), engine(), first, keep_prob, reference::Rule::digits,
                                   rounds};
          check_mask(buffer, spec, 1003, Edge::end, 0, reference::mask(spec, 1003));
          spec.rule = reference::Rule::words;
          check_mask(buffer, spec, 515, Edge::end, 0, reference::mask(spec, 515));
        }
      }
    }
  }

  TEST_CASE("an element is dropped at T equal to what it drew, and kept at T + 1") {
    test::GuardedBuffer<std::uint8_t> buffer(4096);
    constexpr std::size_t n = 256;
    for (const auto rule : {reference::Rule::digits, reference::Rule::words}) {
      for (std::uint64_t i = 0; i < 300; ++i) {
        reference::MaskSpec spec{17, 18, i / n * n, 0.0, rule, 10};
        const std::uint32_t drawn = rule == reference::Rule::digits
                                        ? drawn_digits(spec, i)
                                        : reference::stream_word(17, 18, i, 10);
        const std::size_t at = i % n;
        for (const std::uint64_t t : {std::uint64_t{drawn}, std::uint64_t{drawn} + 1}) {
          spec.keep_prob = static_cast<double>(t) / 4294967296.0;
          const auto want = reference::mask(spec, n);
          CHECK(((want[at / 8] >> (at % 8)) & 1) == (t > drawn ? 1 : 0));
          check_mask(buffer, spec, n, Edge::end, 0, want);
        }
      }
    }
  }

  TEST_CASE("every start within a block") {
    test::GuardedBuffer<std::uint8_t> buffer(4096);
    for (std::uint64_t first = 0; first < 520; ++first) {
      const double keep_prob = first % 3 == 0 ? 0.5 : 0.9;
      const reference::MaskSpec spec{3, 4, first, keep_prob, reference::Rule::digits, 10};
      const std::size_t n = 300 + first % 7;
      check_mask(buffer, spec, n, Edge::end, 0, reference::mask(spec, n));
    }
  }
}
