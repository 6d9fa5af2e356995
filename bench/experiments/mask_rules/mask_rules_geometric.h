// geometric: a dyadic base mask, and corrections whose distances are geometric: a gap is
// floor(log2(u) / log2(1 - q)) for a uniform u. That has no memory, so every block of 4096 elements
// starts afresh, one to a lane.
#pragma once

#include <cstddef>
#include <cstdint>

#include "experiments/mask_rules/mask_rules_digits.h"
#include "experiments/mask_rules/mask_rules_isa.h"
#include "kernels/isa/isa.h"
#include "kernels/mask/draw_vector.h"
#include "kernels/mask/overlap.h"

namespace simdrop::bench {
namespace {

using namespace simdrop::detail;

constexpr std::size_t gap_block_elements = 4096;
constexpr std::size_t unit_groups = rule_unit / gap_block_elements / lanes_u64;
constexpr std::size_t gap_groups = unit_groups < mask_vectors ? unit_groups : mask_vectors;
constexpr std::uint64_t first_gap_piece = 128;

// u in (0, 1) from the upper 23 bits, then the gap as 22 bits. Only additions, products and bits:
// the same on every instruction set.
inline VecU32 geometric_gaps(VecU32 words, VecF scale) {
  const VecF one(1.0F);
  const VecU32 one_bits(0x3F800000U);
  const VecF u = as_f32((words >> 9) | one_bits) - one + VecF(0x1p-24F);
  const VecU32 bits = as_u32(u);
  const VecF exponent = as_f32((bits >> 23) | VecU32(0x4B000000U)) - VecF(0x1p23F + 127.0F);
  const VecF t = as_f32((bits & VecU32(0x7FFFFFU)) | one_bits) - one;
  // log2(1 + t), exact at both ends, else to 1.1e-6: interpolated at Chebyshev points.
  VecF p = VecF(0.0640729399F) - t * VecF(0.015125447F);
  p = p * t - VecF(0.131446539F);
  p = p * t + VecF(0.196661003F);
  p = p * t - VecF(0.278201673F);
  p = p * t + VecF(0.442688854F);
  const VecF log2_u = exponent + t * (one + (one - t) * p);
  const VecF gap = xsimd::min(log2_u * scale, VecF(4e6F));
  return as_u32(gap - VecF(0.5F) + VecF(0x1.8p23F)) & VecU32(0x3FFFFFU);  // rounded down
}

// Moves on by two gaps, those in the low halves and those in the high ones, and stores where to.
inline void advance_two(VecU64 words, VecF scale, VecU64& next, std::uint64_t* places) {
  const VecU32 gaps = geometric_gaps(__builtin_bit_cast(VecU32, words), scale);
  const VecU64 pair = __builtin_bit_cast(VecU64, gaps);
  const VecU64 low = next + (pair & VecU64(std::uint64_t{0xFFFFFFFF}));
  const VecU64 high = low + shift_right32(pair) + VecU64(std::uint64_t{1});
  low.store_unaligned(places);
  high.store_unaligned(places + lanes_u64);
  next = high + VecU64(std::uint64_t{1});
}

// Corrects four places of each of lanes_u64 blocks, none beyond the end of one.
template <bool Keep>
inline void correct_places(const std::uint64_t* places, std::uint64_t* bits) {
  constexpr std::size_t block_words = gap_block_elements / 64;
  for (std::size_t i = 0; i < 4; ++i) {
    for (std::size_t lane = 0; lane < lanes_u64; ++lane) {
      const std::uint64_t place = places[i * lanes_u64 + lane];
      const std::uint64_t bit = std::uint64_t{place < gap_block_elements} << (place % 64);
      std::uint64_t& word = bits[lane * block_words + place / 64 % block_words];
      word = Keep ? word | bit : word & ~bit;
    }
  }
}

// Corrections of gap_groups * lanes_u64 blocks. Returns how many Philox blocks that took.
template <bool Keep>
inline std::uint64_t correct_gaps(const PhiloxVec& philox, std::uint64_t block, float gap_scale,
                                  std::uint64_t* bits) {
  const VecF scale(gap_scale);
  const VecU64 blocks = VecU64(block) + VecU64::load_unaligned(lane_numbers);
  VecU64 next[gap_groups];
  for (VecU64& n : next) n = VecU64(std::uint64_t{0});
  std::uint64_t drawn = 0;
  for (std::uint64_t piece = 0, more = 1; more != 0; ++piece, drawn += gap_groups * lanes_u64) {
    alignas(64) std::uint64_t places[gap_groups][4 * lanes_u64];
    more = 0;
    draw_pieces<rule_rounds, gap_groups>(
        philox, blocks, first_gap_piece + piece, [&](std::size_t g, VecU64 low, VecU64 high) {
          advance_two(low, scale, next[g], places[g]);
          advance_two(high, scale, next[g], places[g] + 2 * lanes_u64);
          // That is, next < gap_block_elements.
          more |= any_above(VecU64(std::uint64_t{0}) - next[g],
                            -static_cast<std::int64_t>(gap_block_elements));
        });
    for (std::size_t g = 0; g < gap_groups; ++g) {
      correct_places<Keep>(places[g], bits + g * lanes_u64 * (gap_block_elements / 64));
    }
  }
  return drawn;
}

inline void draw_base_batch(const RuleSource& source, const PhiloxVec& philox, std::uint64_t first,
                            std::size_t elements, std::uint64_t* bits) {
  for (std::size_t at = 0; at < elements; at += batch_blocks * mask_block) {
    const VecU64 blocks = VecU64((first + at) / mask_block) + VecU64::load_unaligned(lane_numbers);
    VecU64 kept[mask_vectors][4];
    draw_base<rule_rounds, mask_vectors>(source.base, philox, blocks, kept, OverlappedWork{});
    for (std::size_t g = 0; g < mask_vectors; ++g) {
      store_transposed(kept[g][0], kept[g][1], kept[g][2], kept[g][3],
                       bits + at / 64 + g * 4 * lanes_u64);
    }
  }
}

inline std::uint64_t draw_geometric(const RuleSource& source, std::size_t elements,
                                    std::uint64_t* bits) {
  const PhiloxVec philox(source.seed, source.stream);
  constexpr std::size_t batch = gap_groups * lanes_u64;
  std::uint64_t drawn = elements / mask_block * 2 * source.base.digits;
  for (std::size_t at = 0; at < elements; at += batch * gap_block_elements) {
    std::uint64_t* to = bits + at / 64;
    draw_base_batch(source, philox, source.first + at, batch * gap_block_elements, to);
    if (source.gap_scale == 0.0F) continue;
    const std::uint64_t block = (source.first + at) / gap_block_elements;
    drawn += source.base.corrections_keep
                 ? correct_gaps<true>(philox, block, source.gap_scale, to)
                 : correct_gaps<false>(philox, block, source.gap_scale, to);
  }
  return drawn;
}

}  // namespace
}  // namespace simdrop::bench
