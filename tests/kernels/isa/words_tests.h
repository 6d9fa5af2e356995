// Tests of the operations on integers that masks are drawn with.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/isa/isa.h"
#include "rows.h"

namespace simdrop::detail {
namespace {

constexpr std::uint64_t low32 = 0xFFFFFFFF;

// op(words of a lane) is what the operation makes of them.
template <class Operation, class Scalar>
const char* test_two_words(Operation operation, Scalar scalar) {
  Random random;
  for (int i = 0; i < many; ++i) {
    const auto a = any<RowU64>(random);
    const auto b = any<RowU64>(random);
    RowU64 want;
    for (std::size_t lane = 0; lane < lanes_u64; ++lane) {
      want.lane[lane] = scalar(a.lane[lane], b.lane[lane]);
    }
    SIMDROP_EXPECT(same(row(operation(vec(a), vec(b))), want));
  }
  return nullptr;
}

inline const char* test_mul_low32() {
  return test_two_words([](VecU64 a, VecU64 b) { return mul_low32(a, b); },
                        [](std::uint64_t a, std::uint64_t b) { return (a & low32) * (b & low32); });
}
inline const char* test_pack_words() {
  return test_two_words([](VecU64 a, VecU64 b) { return pack_words(a, b); },
                        [](std::uint64_t a, std::uint64_t b) { return (a & low32) | b << 32; });
}
inline const char* test_shift_right32() {
  return test_two_words([](VecU64 a, VecU64) { return shift_right32(a); },
                        [](std::uint64_t a, std::uint64_t) { return a >> 32; });
}
inline const char* test_fold_digit() {
  const char* failure =
      test_two_words([](VecU64 kept, VecU64 drawn) { return fold_digit(kept, drawn, true); },
                     [](std::uint64_t kept, std::uint64_t drawn) { return kept | drawn; });
  if (failure != nullptr) return failure;
  return test_two_words([](VecU64 kept, VecU64 drawn) { return fold_digit(kept, drawn, false); },
                        [](std::uint64_t kept, std::uint64_t drawn) { return kept & drawn; });
}

inline const char* test_xor3() {
  Random random;
  for (int i = 0; i < many; ++i) {
    const auto a = any<RowU64>(random);
    const auto b = any<RowU64>(random);
    const auto c = any<RowU64>(random);
    RowU64 want;
    for (std::size_t lane = 0; lane < lanes_u64; ++lane) {
      want.lane[lane] = a.lane[lane] ^ b.lane[lane] ^ c.lane[lane];
    }
    SIMDROP_EXPECT(same(row(xor3(vec(a), vec(b), vec(c))), want));
  }
  return nullptr;
}

inline const char* test_or3() {
  Random random;
  for (int i = 0; i < many; ++i) {
    const auto a = any<RowU64>(random);
    const auto b = any<RowU64>(random);
    const auto c = any<RowU64>(random);
    RowU64 want;
    for (std::size_t lane = 0; lane < lanes_u64; ++lane) {
      want.lane[lane] = a.lane[lane] | b.lane[lane] | c.lane[lane];
    }
    SIMDROP_EXPECT(same(row(or3(vec(a), vec(b), vec(c))), want));
  }
  return nullptr;
}

inline const char* test_keep_order() {
  Random random;
  for (int i = 0; i < many; ++i) {
    RowU64 words[4];
    VecU64 v[4];
    for (std::size_t k = 0; k < 4; ++k) v[k] = vec(words[k] = any<RowU64>(random));
    keep_order(v[0], v[1], v[2], v[3]);
    for (std::size_t k = 0; k < 4; ++k) SIMDROP_EXPECT(same(row(v[k]), words[k]));
  }
  return nullptr;
}

inline const char* test_store_blocks() {
  constexpr std::size_t words = 4 * lanes_u64;
  Random random;
  for (int i = 0; i < many; ++i) {
    auto memory = any<Row<std::uint32_t, 3 * words>>(random);
    auto want = memory;
    RowU64 x[4];
    for (std::size_t k = 0; k < 4; ++k) {
      x[k] = any<RowU64>(random);
      for (std::size_t lane = 0; lane < lanes_u64; ++lane) {
        want.lane[words + 4 * block_lanes[lane] + k] = static_cast<std::uint32_t>(x[k].lane[lane]);
      }
    }
    store_blocks(vec(x[0]), vec(x[1]), vec(x[2]), vec(x[3]), memory.lane + words);
    SIMDROP_EXPECT(same(memory, want));
  }
  return nullptr;
}

inline const char* test_store_transposed() {
  constexpr std::size_t words = 4 * lanes_u64;
  Random random;
  for (int i = 0; i < many; ++i) {
    auto memory = any<Row<std::uint64_t, 3 * words>>(random);
    auto want = memory;
    RowU64 w[4];
    for (std::size_t k = 0; k < 4; ++k) {
      w[k] = any<RowU64>(random);
      for (std::size_t lane = 0; lane < lanes_u64; ++lane) {
        want.lane[words + 4 * lane + k] = w[k].lane[lane];
      }
    }
    store_transposed(vec(w[0]), vec(w[1]), vec(w[2]), vec(w[3]), memory.lane + words);
    SIMDROP_EXPECT(same(memory, want));
  }
  return nullptr;
}

inline const char* test_bits_le_u32() {
  Random random;
  for (int i = 0; i < many; ++i) {
    const auto a = any<RowU32>(random);
    auto b = any<RowU32>(random);
    std::uint32_t want = 0;
    for (std::size_t lane = 0; lane < lanes_f32; ++lane) {
      const std::uint64_t near = random.next() % 8;  // half of all pairs are 1 or less apart
      if (near < 4) b.lane[lane] = a.lane[lane] + static_cast<std::uint32_t>(near % 3) - 1;
      if (a.lane[lane] <= b.lane[lane]) want |= 1U << lane;
    }
    SIMDROP_EXPECT(bits_le_u32(vec(a), vec(b)) == want);
  }
  return nullptr;
}

// Draws, some of them as large as the threshold or 1 apart; the least and largest thresholds too.
struct Draws {
  std::int64_t threshold;
  RowU64 draw;
  bool above[lanes_u64];
};
inline Draws any_draws(Random& random) {
  Draws draws;
  std::uint64_t threshold;
  draw(random, threshold);
  draws.threshold = static_cast<std::int64_t>(threshold);
  draws.draw = any<RowU64>(random);
  for (std::size_t lane = 0; lane < lanes_u64; ++lane) {
    const std::uint64_t near = random.next() % 8;
    if (near < 4) draws.draw.lane[lane] = threshold + near % 3 - 1;
    draws.above[lane] = static_cast<std::int64_t>(draws.draw.lane[lane]) > draws.threshold;
  }
  return draws;
}

inline const char* test_any_above() {
  Random random;
  for (int i = 0; i < many; ++i) {
    Draws draws = any_draws(random);
    bool want = false;
    for (const bool above : draws.above) want = want || above;
    SIMDROP_EXPECT(any_above(vec(draws.draw), draws.threshold) == want);
    // Each lane alone.
    RowU64 one;
    for (std::uint64_t& lane : one.lane) lane = static_cast<std::uint64_t>(INT64_MIN);
    SIMDROP_EXPECT(!any_above(vec(one), INT64_MIN));
    one.lane[static_cast<std::size_t>(i) % lanes_u64] = INT64_MAX;
    SIMDROP_EXPECT(any_above(vec(one), INT64_MAX - 1));
  }
  return nullptr;
}

// Every place that vector.h allows, in every lane.
inline const char* test_correction_lanes() {
  Random random;
  for (int first = -192; first < 256; ++first) {
    const Draws draws = any_draws(random);
    RowU64 places;
    RowU64 want{};
    for (std::size_t lane = 0; lane < lanes_u64; ++lane) {
      const int place = -192 + (first + 192 + 61 * static_cast<int>(lane)) % 448;
      places.lane[lane] = static_cast<std::uint64_t>(std::int64_t{place});
      if (draws.above[lane] && place >= 0 && place < 64) want.lane[lane] = 1ULL << place;
    }
    const CorrectionLanes lanes(vec(draws.draw), draws.threshold);
    SIMDROP_EXPECT(same(row(lanes.at(vec(places))), want));
  }
  return nullptr;
}

}  // namespace
}  // namespace simdrop::detail
