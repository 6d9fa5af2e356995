// bernoulli_mask of every table against the oracle and the known answers.
#include <array>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "helpers/kernel_test.h"
#include "helpers/mask_cases.h"
#include "reference/mask_reference.h"
#include "reference/philox_reference.h"

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
    CHECK(test::first_difference<std::uint8_t>(bits, want) == test::no_difference);
    CHECK(buffer.intact());
  });
}

std::vector<std::uint8_t> from_hex(const std::string& text) {
  std::vector<std::uint8_t> bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    bytes.push_back(static_cast<std::uint8_t>(std::stoul(text.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

}  // namespace

TEST_SUITE("bernoulli_mask") {
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
      spec.rule = rule == "dyadic" ? reference::Rule::dyadic : reference::Rule::words;
      const auto want = from_hex(hex);
      CHECK(test::first_difference<std::uint8_t>(reference::mask(spec, n), want) ==
            test::no_difference);
      check_mask(buffer, spec, n, Edge::end, 0, want);
      ++cases;
    }
    CHECK(cases == 132);
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
    for (const double keep_prob : test::keep_probs) {
      for (const std::uint64_t first : test::first_elements) {
        for (const int rounds : {7, 10}) {
          reference::MaskSpec spec{engine(), engine(), first, keep_prob, reference::Rule::dyadic,
                                   rounds};
          check_mask(buffer, spec, 1003, Edge::end, 0, reference::mask(spec, 1003));
          spec.rule = reference::Rule::words;
          check_mask(buffer, spec, 515, Edge::end, 0, reference::mask(spec, 515));
        }
      }
    }
  }

  TEST_CASE("words: an element is dropped at T equal to what it drew, and kept at T + 1") {
    test::GuardedBuffer<std::uint8_t> buffer(4096);
    constexpr std::size_t n = 256;
    for (std::uint64_t i = 0; i < 300; ++i) {
      reference::MaskSpec spec{17, 18, i / n * n, 0.0, reference::Rule::words, 10};
      const std::uint32_t drawn = reference::stream_word(17, 18, i, 10);
      const std::size_t at = i % n;
      for (const std::uint64_t t : {std::uint64_t{drawn}, std::uint64_t{drawn} + 1}) {
        spec.keep_prob = static_cast<double>(t) / 4294967296.0;
        const auto want = reference::mask(spec, n);
        CHECK(((want[at / 8] >> (at % 8)) & 1) == (t > drawn ? 1 : 0));
        check_mask(buffer, spec, n, Edge::end, 0, want);
      }
    }
  }

  TEST_CASE("dyadic: a threshold equal to the draw gives no hit, one below it does") {
    test::GuardedBuffer<std::uint8_t> buffer(64);
    for (std::uint64_t b = 0; b < 40; ++b) {
      const std::uint64_t counter = (std::uint64_t{1} << 63) + b;
      std::array<std::uint64_t, 4> words{};
      for (unsigned w = 0; w < 4; ++w) words[w] = reference::block_word(19, 20, counter, w, 10);
      const auto draw =
          static_cast<std::int64_t>((words[0] | words[1] << 32) ^ (std::uint64_t{1} << 63));
      for (unsigned hits = 0; hits <= 8; ++hits) {
        simdrop::detail::MaskSource source{19, 20, 256 * b, 1, 10, 0, nullptr, {}};
        source.dyadic.corrections_keep = true;  // on a base mask of zeros
        source.dyadic.corrections.slots = 8;
        for (unsigned k = 0; k <= 8; ++k)
          source.dyadic.corrections.cdf[k] = k < hits ? draw - 1 : draw;
        std::vector<std::uint8_t> want(32, 0);
        for (unsigned k = 0; k < hits; ++k) {
          const auto place = static_cast<unsigned>(words[2 + k / 4] >> (8 * (k % 4)) & 255);
          want[place / 8] = static_cast<std::uint8_t>(want[place / 8] | 1U << (place % 8));
        }
        CAPTURE(hits);
        test::for_each_table([&](const KernelTable& table) {
          const auto bits = buffer.place(32, Edge::end, 0);
          table.bernoulli_mask(source, 256, bits.data());
          CHECK(test::first_difference<std::uint8_t>(bits, want) == test::no_difference);
        });
      }
    }
  }

  TEST_CASE("every start within a block") {
    test::GuardedBuffer<std::uint8_t> buffer(4096);
    for (std::uint64_t first = 0; first < 520; ++first) {
      const double keep_prob = first % 3 == 0 ? 0.5 : 0.9;
      const reference::MaskSpec spec{3, 4, first, keep_prob, reference::Rule::dyadic, 10};
      const std::size_t n = 300 + first % 7;
      check_mask(buffer, spec, n, Edge::end, 0, reference::mask(spec, n));
    }
  }
}
