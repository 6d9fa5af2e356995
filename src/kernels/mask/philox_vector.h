// Philox4x32 on vectors of 64-bit lanes, one block a lane, each word in the low half of its lane:
// the 32 x 32 -> 64 multiply then yields both halves in place, and a round is two multiplies, two
// shifts and four xors without a shuffle. The high halves hold garbage between rounds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/isa/isa.h"
#include "kernels/mask/philox_block.h"

namespace simdrop::detail {
namespace {

// Everything of a stream that does not change from block to block. Half of the first round is in
// it: its second product is of the stream alone.
struct PhiloxVec {
  VecU64 key[philox_max_rounds][2];
  VecU64 m0, m1;
  VecU64 first_x0, first_x1, first_x2;  // after a round of block 0, but for its first product

  PhiloxVec(std::uint64_t seed, std::uint64_t stream)
      : m0(std::uint64_t{philox_m0}), m1(std::uint64_t{philox_m1}) {
    auto key0 = static_cast<std::uint32_t>(seed);
    auto key1 = static_cast<std::uint32_t>(seed >> 32);
    const std::uint64_t product1 = (stream & 0xFFFFFFFFU) * philox_m1;
    first_x0 = VecU64(product1 >> 32 ^ key0);
    first_x1 = VecU64(product1);
    first_x2 = VecU64(stream >> 32 ^ key1);
    for (auto& k : key) {
      k[0] = VecU64(std::uint64_t{key0});
      k[1] = VecU64(std::uint64_t{key1});
      key0 += philox_w0;
      key1 += philox_w1;
    }
  }
};

struct PhiloxState {
  VecU64 x0, x1, x2, x3;

  PhiloxState() = default;
  // After the first round.
  PhiloxState(const PhiloxVec& philox, VecU64 block)
      : x0(shift_right32(block) ^ philox.first_x0),
        x1(philox.first_x1),
        x3(mul_low32(block, philox.m0)) {
    x2 = shift_right32(x3) ^ philox.first_x2;
  }

  void round(const PhiloxVec& philox, int r) {
    const VecU64 product0 = mul_low32(x0, philox.m0);
    const VecU64 product1 = mul_low32(x2, philox.m1);
    x0 = xor3(shift_right32(product1), x1, philox.key[r][0]);
    x1 = product1;
    x2 = xor3(shift_right32(product0), x3, philox.key[r][1]);
    x3 = product0;
    keep_order(x0, x1, x2, x3);
  }
};

// All rounds but the first, of N independent states.
template <int Rounds, std::size_t N>
inline void run_rounds(const PhiloxVec& philox, PhiloxState (&state)[N]) {
#pragma GCC unroll 10
  for (int r = 1; r < Rounds; ++r) {
#pragma GCC unroll 8
    for (PhiloxState& s : state) s.round(philox, r);
  }
}

constexpr std::size_t blocks_at_once = philox_vectors * lanes_u64;
constexpr std::size_t words_at_once = 4 * blocks_at_once;

// Draws blocks_at_once blocks from `block` on.
template <int Rounds>
inline void draw_at_once(const PhiloxVec& philox, std::uint64_t block, std::uint32_t* out) {
  const VecU64 first = VecU64(block) + VecU64::load_unaligned(block_lanes);
  PhiloxState state[philox_vectors];
#pragma GCC unroll 8
  for (std::size_t s = 0; s < philox_vectors; ++s) {
    state[s] = PhiloxState(philox, first + VecU64(std::uint64_t{s * lanes_u64}));
  }
  run_rounds<Rounds>(philox, state);
#pragma GCC unroll 8
  for (std::size_t s = 0; s < philox_vectors; ++s) {
    store_blocks(state[s].x0, state[s].x1, state[s].x2, state[s].x3, out + s * 4 * lanes_u64);
  }
}

// Draws at least `words` words from `block` on; `out` has room for words
// rounded up to words_at_once.
template <int Rounds>
inline void draw_words(const PhiloxVec& philox, std::uint64_t block, std::size_t words,
                       std::uint32_t* out) {
  for (std::size_t done = 0; done < words; done += words_at_once, block += blocks_at_once) {
    draw_at_once<Rounds>(philox, block, out + done);
  }
}

template <int Rounds>
inline void fill_words(const PhiloxVec& philox, std::uint64_t block, unsigned skip,
                       std::uint32_t* out, std::size_t n) {
  alignas(64) std::uint32_t buffer[words_at_once];
  if (skip != 0 && n != 0) {
    const std::size_t head = n < 4 - skip ? n : 4 - skip;
    draw_at_once<Rounds>(philox, block++, buffer);
    std::memcpy(out, buffer + skip, head * sizeof *out);
    out += head;
    n -= head;
  }
  for (; n >= words_at_once; n -= words_at_once, out += words_at_once, block += blocks_at_once) {
    draw_at_once<Rounds>(philox, block, out);
  }
  if (n != 0) {
    draw_at_once<Rounds>(philox, block, buffer);
    std::memcpy(out, buffer, n * sizeof *out);
  }
}

inline void philox_fill(std::uint64_t seed, std::uint64_t stream, std::uint64_t first_block,
                        unsigned skip, std::int32_t rounds, std::uint32_t* out, std::size_t n) {
  const PhiloxVec philox(seed, stream);
  if (rounds == 7) {
    fill_words<7>(philox, first_block, skip, out, n);
  } else {
    fill_words<10>(philox, first_block, skip, out, n);
  }
}

}  // namespace
}  // namespace simdrop::detail
