// Elements that their first eight random bits leave undecided draw 24 more, many to a Philox call.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/isa/isa.h"
#include "kernels/mask/philox_vector.h"

namespace simdrop::bench {
namespace {

using namespace simdrop::detail;

constexpr int rule_rounds = 10;
constexpr std::size_t part_elements = 32768;  // compared together
constexpr std::size_t part_words = part_elements / 64;
constexpr std::uint32_t tie_bits = 0xFFFFFFU;

// Elements of a part that are undecided; room for a last vector that is padded.
using TieList = std::uint16_t[part_elements + lanes_u64];

// Without a branch on random bits: first the words that have any, then one element of each; a word
// that still has more goes to the end of the list. Clears `undecided`.
inline std::size_t list_ties(std::uint64_t* undecided, TieList& list) {
  std::size_t ties = 0;
  for (std::size_t w = 0; w < part_words; ++w) {
    list[ties] = static_cast<std::uint16_t>(w);
    ties += undecided[w] != 0;
  }
  for (std::size_t i = 0; i < ties; ++i) {
    const std::uint16_t w = list[i];
    const std::uint64_t rest = undecided[w];
    list[i] = static_cast<std::uint16_t>(w * 64 + __builtin_ctzll(rest));
    undecided[w] = rest & (rest - 1);
    list[ties] = w;
    ties += undecided[w] != 0;
  }
  for (std::size_t i = 0; i < lanes_u64 && ties != 0; ++i) list[ties + i] = list[ties - 1];
  return ties;
}

// Element e draws the upper 24 bits of word e mod 4 of Philox block 2^63 + e / 4. Returns how many
// blocks that took.
inline std::uint64_t resolve_ties(const PhiloxVec& philox, std::uint64_t first,
                                  std::uint64_t threshold, std::uint64_t* undecided,
                                  std::uint64_t* kept) {
  TieList list;
  const std::size_t ties = list_ties(undecided, list);
  const std::uint32_t limit = static_cast<std::uint32_t>(threshold) & tie_bits;
  std::size_t done = 0;
  for (; done < ties; done += lanes_u64) {
    alignas(64) std::uint64_t lane[4][lanes_u64];
    for (std::size_t j = 0; j < lanes_u64; ++j) {
      lane[0][j] = (std::uint64_t{1} << 63) + (first + list[done + j]) / 4;
    }
    PhiloxState state[1] = {PhiloxState(philox, VecU64::load_unaligned(lane[0]))};
    run_rounds<rule_rounds>(philox, state);
    state[0].x0.store_unaligned(lane[0]);
    state[0].x1.store_unaligned(lane[1]);
    state[0].x2.store_unaligned(lane[2]);
    state[0].x3.store_unaligned(lane[3]);
    for (std::size_t j = 0; j < lanes_u64; ++j) {
      const std::size_t e = list[done + j];
      const bool keep = static_cast<std::uint32_t>(lane[e % 4][j]) >> 8 < limit;
      kept[e / 64] |= std::uint64_t{keep} << (e % 64);
    }
  }
  return done;
}

}  // namespace
}  // namespace simdrop::bench
