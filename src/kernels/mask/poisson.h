// The corrections of the dyadic mask rule (the hits of mask.hpp, steps 3 and 4) in plain C++: for
// the scalar table, and for the few blocks of the others that have more of them than slots.
#pragma once

#include <cstdint>

#include "kernels/mask/philox_block.h"
#include "kernels/mask_arguments.h"

namespace simdrop::detail {
namespace {

// K of a block whose first 64 bits are `draw`.
inline unsigned count_corrections(const PoissonLaw& law, std::uint64_t draw) {
  const auto u = static_cast<std::int64_t>(draw ^ (1ULL << 63));
  unsigned k = 0;
  for (; k <= static_cast<unsigned>(law.slots); ++k) {
    if (u <= law.cdf[k]) return k;
  }
  double term = law.term;
  for (double sum = law.sum;; ++k) {
    term = term * (law.mean / k);
    const double next = sum + term;
    if (next == sum || u <= biased_cdf(next)) return k;
    sum = next;
  }
}

// The Philox blocks that a block of a mask draws are its pieces; corrections begin with this one.
constexpr std::uint64_t first_correction_piece = 128;

// Piece `piece` of block `block`: the Philox block with counter piece * 2^56 + block.
inline void draw_piece(const MaskSource& source, std::uint64_t block, std::uint64_t piece,
                       std::uint32_t* words) {
  words[0] = static_cast<std::uint32_t>(block);
  words[1] = static_cast<std::uint32_t>(piece << 24 | block >> 32);
  words[2] = static_cast<std::uint32_t>(source.stream);
  words[3] = static_cast<std::uint32_t>(source.stream >> 32);
  philox_block(words, static_cast<std::uint32_t>(source.seed),
               static_cast<std::uint32_t>(source.seed >> 32), source.rounds);
}

// Which elements of a block are corrected: a bit each, in four words of 64.
inline void draw_corrections(const MaskSource& source, std::uint64_t block,
                             std::uint64_t* corrected) {
  std::uint32_t words[4];
  draw_piece(source, block, first_correction_piece, words);
  const std::uint64_t draw = words[1] * (1ULL << 32) + words[0];
  const unsigned count = count_corrections(source.dyadic.corrections, draw);
  for (unsigned w = 0; w < 4; ++w) corrected[w] = 0;
  for (unsigned k = 0; k < count; ++k) {
    const unsigned at = k + 8;
    if (at % 16 == 0) draw_piece(source, block, first_correction_piece + at / 16, words);
    const unsigned place = words[at % 16 / 4] >> (at % 4 * 8) & 255U;
    corrected[place / 64] |= 1ULL << (place % 64);
  }
}

}  // namespace
}  // namespace simdrop::detail
