// philox4x32 and philox_fill of every table.
#include <array>
#include <cstdint>
#include <fstream>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

#include "helpers/kernel_test.h"
#include "reference/philox_reference.h"
#include "simdrop/rng.hpp"

namespace {

using simdrop::detail::KernelTable;
using test::Edge;

struct KnownAnswer {
  int rounds;
  std::array<std::uint32_t, 4> counter;
  std::array<std::uint32_t, 2> key;
  std::array<std::uint32_t, 4> result;
};

std::vector<KnownAnswer> known_answers() {
  std::ifstream file(SIMDROP_TEST_DATA "/philox.txt");
  REQUIRE(file.is_open());
  std::vector<KnownAnswer> answers;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#') continue;
    std::istringstream in(line);
    std::string name;
    KnownAnswer answer{};
    in >> name >> answer.rounds >> std::hex;
    for (auto& word : answer.counter) in >> word;
    for (auto& word : answer.key) in >> word;
    for (auto& word : answer.result) in >> word;
    REQUIRE(in);
    REQUIRE(name == "philox4x32");
    answers.push_back(answer);
  }
  return answers;
}

std::uint64_t join(std::uint32_t low, std::uint32_t high) {
  return (std::uint64_t{high} << 32) | low;
}

// Words skip ... skip + n - 1 counted from first_block, whose counter wraps at 2^64.
std::vector<std::uint32_t> words_from(std::uint64_t seed, std::uint64_t stream,
                                      std::uint64_t first_block, unsigned skip, int rounds,
                                      std::size_t n) {
  std::vector<std::uint32_t> words(n);
  for (std::size_t i = 0; i < n; ++i) {
    const std::uint64_t word = skip + i;
    words[i] = reference::block_word(seed, stream, first_block + word / 4,
                                     static_cast<unsigned>(word % 4), rounds);
  }
  return words;
}

void check_fill(test::GuardedBuffer<std::uint32_t>& buffer, std::uint64_t first_block,
                unsigned skip, int rounds, std::size_t n, Edge edge, std::size_t offset) {
  constexpr std::uint64_t seed = 0x0123456789ABCDEF;
  constexpr std::uint64_t stream = 0xFEDCBA9876543210;
  const auto want = words_from(seed, stream, first_block, skip, rounds, n);
  CAPTURE(first_block);
  CAPTURE(skip);
  CAPTURE(rounds);
  CAPTURE(n);
  test::for_each_table([&](const KernelTable& table) {
    const auto out = buffer.place(n, edge, offset);
    table.philox_fill(seed, stream, first_block, skip, rounds, out.data(), n);
    CHECK(test::first_difference<std::uint32_t>(out, want) == test::no_difference);
    CHECK(buffer.intact());
  });
}

}  // namespace

TEST_SUITE("philox_fill") {
  TEST_CASE("known answers of Random123, one block") {
    const auto answers = known_answers();
    CHECK(answers.size() == 6);
    for (const KnownAnswer& answer : answers) {
      CHECK(reference::philox4x32(answer.counter, answer.key, answer.rounds) == answer.result);
      CHECK(simdrop::philox4x32(answer.counter, answer.key,
                                static_cast<simdrop::PhiloxRounds>(answer.rounds)) ==
            answer.result);
    }
  }

  TEST_CASE("known answers of Random123, philox_fill of every table") {
    for (const KnownAnswer& answer : known_answers()) {
      CAPTURE(answer.rounds);
      test::for_each_table([&](const KernelTable& table) {
        // The wanted block stands at every place of a run, so every lane of a vector has it once.
        for (std::uint64_t place = 0; place < 40; ++place) {
          CAPTURE(place);
          std::vector<std::uint32_t> words(4 * 41);
          const auto& counter = answer.counter;
          table.philox_fill(join(answer.key[0], answer.key[1]), join(counter[2], counter[3]),
                            join(counter[0], counter[1]) - place, 0, answer.rounds, words.data(),
                            words.size());
          const auto block = std::span<const std::uint32_t>(words).subspan(4 * place, 4);
          CHECK(test::first_difference<std::uint32_t>(block, answer.result) == test::no_difference);
        }
      });
    }
  }

  TEST_CASE("philox_fill: every length, skip and edge") {
    test::GuardedBuffer<std::uint32_t> buffer(1 << 17);
    for (std::size_t n = 0; n <= 257; ++n) {
      for (unsigned skip = 0; skip < 4; ++skip) {
        check_fill(buffer, n * 1000003, skip, 10, n, Edge::end, 0);
        check_fill(buffer, n * 999983, skip, 7, n, Edge::start, (n + skip) % 16);
      }
    }
    for (const std::size_t n : {4095UL, 4097UL, 65537UL, 100003UL}) {
      check_fill(buffer, n, 3, 10, n, Edge::end, 0);
      check_fill(buffer, n, 1, 7, n, Edge::start, 5);
    }
  }

  TEST_CASE("philox_fill: the block counter carries at 2^32 and wraps at 2^64") {
    test::GuardedBuffer<std::uint32_t> buffer(1024);
    const std::uint64_t carry = std::uint64_t{1} << 32;
    for (std::uint64_t before = 0; before <= 40; ++before) {
      const auto skip = static_cast<unsigned>(before % 4);
      check_fill(buffer, carry - before, skip, 10, 300, Edge::end, 0);
      check_fill(buffer, 7 * carry - before, skip, 7, 300, Edge::end, 0);
      check_fill(buffer, (carry << 31) - before, skip, 10, 300, Edge::end, 0);
      check_fill(buffer, std::uint64_t{0} - before, skip, 10, 300, Edge::end, 0);
    }
  }
}
