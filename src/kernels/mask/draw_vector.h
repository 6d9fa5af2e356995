// Mask bits by the rules of mask.hpp. A lane holds what belongs to one block of 256 elements, so
// that a mask stays in lanes from the generator to its last correction.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/isa/isa.h"
#include "kernels/mask/chunk.h"
#include "kernels/mask/overlap.h"
#include "kernels/mask/philox_vector.h"
#include "kernels/mask/poisson.h"
#include "kernels/mask_arguments.h"

namespace simdrop::detail {
namespace {

constexpr std::uint64_t lane_numbers[8] = {0, 1, 2, 3, 4, 5, 6, 7};

// What a piece costs, and what eight slots of a vector of blocks do, for sharing out other work.
constexpr std::size_t piece_cost = 3;
constexpr std::size_t slots_cost = 1;

// Draws one piece (16 bytes a block, as two words) of N vectors of blocks.
template <int Rounds, std::size_t N, class Emit>
inline void draw_pieces(const PhiloxVec& philox, VecU64 blocks, std::uint64_t piece, Emit emit) {
  PhiloxState state[N];
#pragma GCC unroll 8
  for (std::size_t g = 0; g < N; ++g) {
    state[g] = PhiloxState(philox, blocks + VecU64((piece << 56) + g * lanes_u64));
  }
  run_rounds<Rounds>(philox, state);
#pragma GCC unroll 8
  for (std::size_t g = 0; g < N; ++g) {
    emit(g, pack_words(state[g].x0, state[g].x1), pack_words(state[g].x2, state[g].x3));
  }
}

// The elements of a vector of blocks that up to law.slots corrections meet, as words of 64. `draws`
// has the words of its pieces, `stride` vectors apart.
inline void mark_corrections(const PoissonLaw& law, const VecU64* draws, std::size_t stride,
                             VecU64* corrected) {
  const VecU64 u = draws[0] ^ VecU64(std::uint64_t{1} << 63);
  const VecU64 byte(std::uint64_t{255});
  VecU64 s0(std::uint64_t{0}), s1 = s0, s2 = s0, s3 = s0;
  for (int slot = 0; slot < law.slots; slot += 8) {
    draws += stride;
    const VecU64 places = *draws;
#pragma GCC unroll 4
    for (int i = 0; i < 8; i += 2) {
      const CorrectionLanes a(u, law.cdf[slot + i]);
      const CorrectionLanes b(u, law.cdf[slot + i + 1]);
      const VecU64 at_a = (places >> (8 * i)) & byte;
      const VecU64 at_b = (places >> (8 * i + 8)) & byte;
      s0 = or3(s0, a.at(at_a), b.at(at_b));
      s1 = or3(s1, a.at(at_a - VecU64(std::uint64_t{64})), b.at(at_b - VecU64(std::uint64_t{64})));
      s2 =
          or3(s2, a.at(at_a - VecU64(std::uint64_t{128})), b.at(at_b - VecU64(std::uint64_t{128})));
      s3 =
          or3(s3, a.at(at_a - VecU64(std::uint64_t{192})), b.at(at_b - VecU64(std::uint64_t{192})));
    }
  }
  corrected[0] = s0, corrected[1] = s1, corrected[2] = s2, corrected[3] = s3;
}

// Draws again, one by one, the blocks of a vector that have more corrections than slots.
inline void mark_more_corrections(const MaskSource& source, std::uint64_t block, const VecU64& u,
                                  VecU64* corrected) {
  alignas(64) std::uint64_t draw[lanes_u64];
  alignas(64) std::uint64_t words[4][lanes_u64];
  u.store_unaligned(draw);
  for (std::size_t w = 0; w < 4; ++w) corrected[w].store_unaligned(words[w]);
  const PoissonLaw& law = source.dyadic.corrections;
  for (std::size_t lane = 0; lane < lanes_u64; ++lane) {
    if (static_cast<std::int64_t>(draw[lane] ^ (1ULL << 63)) <= law.cdf[law.slots]) continue;
    std::uint64_t all[4];
    draw_corrections(source, block + lane, all);
    for (std::size_t w = 0; w < 4; ++w) words[w][lane] = all[w];
  }
  for (std::size_t w = 0; w < 4; ++w) corrected[w] = VecU64::load_unaligned(words[w]);
}

template <int Rounds, std::size_t N>
inline void draw_base(const DyadicPlan& plan, const PhiloxVec& philox, VecU64 blocks,
                      VecU64 (&kept)[N][4], const OverlappedWork& work) {
  const bool ones = plan.digits == 0 && plan.numerator != 0;
  for (auto& words : kept) {
    for (VecU64& word : words) word = VecU64(ones ? ~std::uint64_t{0} : std::uint64_t{0});
  }
  for (std::uint32_t j = plan.digits; j-- > 0;) {
    const bool digit = (plan.numerator >> (plan.digits - 1 - j) & 1U) != 0;
    for (std::size_t half = 0; half < 2; ++half) {
      draw_pieces<Rounds, N>(philox, blocks, 2 * j + half,
                             [&](std::size_t g, VecU64 low, VecU64 high) {
                               VecU64* k = kept[g] + 2 * half;
                               k[0] = fold_digit(k[0], low, digit);
                               k[1] = fold_digit(k[1], high, digit);
                             });
      work.after(piece_cost);
    }
  }
}

template <int Rounds, std::size_t N>
inline void correct(const MaskSource& source, const PhiloxVec& philox, std::uint64_t block,
                    VecU64 blocks, VecU64 (&kept)[N][4], const OverlappedWork& work) {
  constexpr std::size_t max_pieces = (PoissonLaw::max_slots + 8 + 15) / 16;
  const PoissonLaw& law = source.dyadic.corrections;
  const auto pieces = static_cast<std::size_t>(law.slots + 8 + 15) / 16;
  VecU64 draws[2 * max_pieces][N] = {};
  for (std::size_t c = 0; c < pieces; ++c) {
    draw_pieces<Rounds, N>(philox, blocks, first_correction_piece + c,
                           [&](std::size_t g, VecU64 low, VecU64 high) {
                             draws[2 * c][g] = low;
                             draws[2 * c + 1][g] = high;
                           });
    work.after(piece_cost);
  }
  for (std::size_t g = 0; g < N; ++g) {
    VecU64 corrected[4];
    mark_corrections(law, &draws[0][g], N, corrected);
    if (any_above(draws[0][g] ^ VecU64(std::uint64_t{1} << 63), law.cdf[law.slots])) [[unlikely]] {
      mark_more_corrections(source, block + g * lanes_u64, draws[0][g], corrected);
    }
    for (std::size_t w = 0; w < 4; ++w) {
      VecU64& k = kept[g][w];
      k = source.dyadic.corrections_keep ? k | corrected[w] : k & ~corrected[w];
    }
    work.after(static_cast<std::size_t>(law.slots) / 8 * slots_cost);
  }
}

inline std::size_t drawing_cost(const DyadicPlan& plan, std::size_t groups) {
  const auto slots = static_cast<std::size_t>(plan.corrections.slots);
  const std::size_t pieces = 2 * plan.digits + (slots == 0 ? 0 : (slots + 8 + 15) / 16);
  return pieces * piece_cost + slots / 8 * slots_cost * groups;
}

// Writes the bits of N vectors of blocks.
template <int Rounds, std::size_t N>
inline void draw_vectors(const MaskSource& source, const PhiloxVec& philox, std::uint64_t block,
                         std::uint64_t* bits, OverlappedWork& work) {
  const VecU64 blocks = VecU64(block) + VecU64::load_unaligned(lane_numbers);
  VecU64 kept[N][4];
  work.plan(drawing_cost(source.dyadic, N));
  draw_base<Rounds, N>(source.dyadic, philox, blocks, kept, work);
  if (source.dyadic.corrections.slots != 0) {
    correct<Rounds, N>(source, philox, block, blocks, kept, work);
  }
  for (std::size_t g = 0; g < N; ++g) {
    store_transposed(kept[g][0], kept[g][1], kept[g][2], kept[g][3], bits + g * 4 * lanes_u64);
  }
}

// MaskRule::dyadic.
template <int Rounds>
inline void draw_dyadic(const MaskSource& source, const PhiloxVec& philox, std::uint64_t block,
                        std::size_t blocks, std::uint64_t* bits, OverlappedWork& work) {
  for (; blocks > mask_vectors / 2 * lanes_u64; bits += mask_vectors * lanes_u64 * 4) {
    draw_vectors<Rounds, mask_vectors>(source, philox, block, bits, work);
    if (blocks <= mask_vectors * lanes_u64) return;
    block += mask_vectors * lanes_u64;
    blocks -= mask_vectors * lanes_u64;
  }
  if (blocks > lanes_u64) {
    draw_vectors<Rounds, mask_vectors / 2>(source, philox, block, bits, work);
  } else if (blocks > 0) {
    draw_vectors<Rounds, 1>(source, philox, block, bits, work);
  }
}

// MaskRule::words: one 32-bit word an element, kept iff it is below T, that is <= T - 1.
template <int Rounds>
inline void draw_by_words(const MaskSource& source, const PhiloxVec& philox, std::uint64_t block,
                          std::size_t blocks, std::uint64_t* bits, OverlappedWork& work) {
  const VecU32 last(static_cast<std::uint32_t>(source.threshold - 1));
  // Blocks at a time: few of the words that are drawn at once are then for nothing.
  constexpr std::size_t span = 3;
  alignas(64) std::uint32_t drawn[span * mask_block + words_at_once];
  work.plan(blocks);
  for (std::size_t b = 0; b < blocks; b += span) {
    const std::size_t n = smaller(blocks - b, span) * mask_block;
    draw_words<Rounds>(philox, (block + b) * (mask_block / 4), n, drawn);
    for (std::size_t i = 0; i < n; i += VecU32::size) {
      const std::uint64_t below = bits_le_u32(VecU32::load_unaligned(drawn + i), last);
      if (i % 64 == 0) bits[i / 64] = 0;
      bits[i / 64] |= below << (i % 64);
    }
    bits += n / 64;
    work.after(n / mask_block);
  }
}

// What the generator starts from, for all blocks of a call.
using MaskState = PhiloxVec;
inline MaskState make_mask_state(const MaskSource& source) {
  return PhiloxVec(source.seed, source.stream);
}

inline void draw_blocks(const MaskSource& source, const MaskState& philox, std::uint64_t block,
                        std::size_t blocks, std::uint64_t* bits, OverlappedWork& work) {
  if (source.rule == 1) {
    source.rounds == 7 ? draw_by_words<7>(source, philox, block, blocks, bits, work)
                       : draw_by_words<10>(source, philox, block, blocks, bits, work);
  } else {
    source.rounds == 7 ? draw_dyadic<7>(source, philox, block, blocks, bits, work)
                       : draw_dyadic<10>(source, philox, block, blocks, bits, work);
  }
}

}  // namespace
}  // namespace simdrop::detail
