// slices_compact: five digits; then undecided element number k of a block keeps if word k of the
// block's own words is below what is left of T.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "experiments/mask_rules/mask_rules_digits.h"
#include "experiments/mask_rules/mask_rules_isa.h"
#include "kernels/isa/isa.h"
#include "kernels/mask/draw_vector.h"
#include "kernels/mask/poisson.h"

namespace simdrop::bench {
namespace {

using namespace simdrop::detail;

constexpr unsigned compact_digits = 5;
constexpr std::size_t compact_words = 16;  // drawn for every block; one of 250 needs more
constexpr std::uint64_t first_compact_piece = 128;

// The low bits of `source`, in order, where `mask` is set.
inline std::uint64_t deposit_bits(std::uint64_t source, std::uint64_t mask) {
#if defined(__BMI2__)
  return _pdep_u64(source, mask);
#else
  std::uint64_t deposited = 0;
  for (; mask != 0; mask &= mask - 1, source >>= 1) {
    if ((source & 1U) != 0) deposited |= mask & (~mask + 1);
  }
  return deposited;
#endif
}

// Which of the first words of each block of a batch are <= last: byte `part * batch_blocks + block`
// of `below` holds words 8 part ... 8 part + 7.
inline void compare_words(const PhiloxVec& philox, VecU64 blocks, std::uint32_t last,
                          std::uint64_t* below) {
  alignas(64) std::uint64_t words[batch_blocks * 4];
  const VecU32 lasts(last);
  for (std::size_t part = 0; part < compact_words / 8; ++part) {
    VecU64 drawn[mask_vectors][4];
    for (std::size_t piece = 0; piece < 2; ++piece) {
      draw_pieces<rule_rounds, mask_vectors>(philox, blocks, first_compact_piece + 2 * part + piece,
                                             [&](std::size_t g, VecU64 low, VecU64 high) {
                                               drawn[g][2 * piece] = low;
                                               drawn[g][2 * piece + 1] = high;
                                             });
    }
    for (std::size_t g = 0; g < mask_vectors; ++g) {
      store_transposed(drawn[g][0], drawn[g][1], drawn[g][2], drawn[g][3],
                       words + g * lanes_u64 * 4);
    }
    for (std::size_t i = 0; i < batch_blocks / 8; ++i) {
      std::uint64_t word = 0;
      for (std::size_t v = 0; v < 64; v += VecU32::size) {
        std::uint32_t lanes[VecU32::size];
        std::memcpy(lanes, words + i * 32 + v / 2, sizeof lanes);
        word |= std::uint64_t{bits_le_u32(VecU32::load_unaligned(lanes), lasts)} << v;
      }
      below[part * (batch_blocks / 8) + i] = word;
    }
  }
}

// Words from compact_words on, one by one. Returns how many Philox blocks that took.
inline std::uint64_t compact_more(const RuleSource& source, std::uint64_t block, std::uint32_t last,
                                  const std::uint64_t* undecided, std::uint64_t* kept) {
  const MaskSource generator{.seed = source.seed,
                             .stream = source.stream,
                             .first = 0,
                             .threshold = 0,
                             .rounds = rule_rounds,
                             .rule = 0,
                             .bits_in = nullptr,
                             .dyadic = {}};
  std::uint32_t words[4] = {};
  std::uint64_t drawn = 0;
  std::size_t k = 0;
  for (std::size_t w = 0; w < 4; ++w) {
    for (std::uint64_t rest = undecided[w]; rest != 0; rest &= rest - 1, ++k) {
      if (k < compact_words) continue;
      if (k % 4 == 0) {
        draw_piece(generator, block, first_compact_piece + k / 4, words);
        ++drawn;
      }
      if (words[k % 4] <= last) kept[w] |= rest & (~rest + 1);
    }
  }
  return drawn;
}

inline std::uint64_t compact_batch(const RuleSource& source, const PhiloxVec& philox,
                                   std::uint64_t first_block, const std::uint64_t* undecided,
                                   std::uint64_t* kept) {
  const std::uint32_t last = (static_cast<std::uint32_t>(source.threshold) << compact_digits) - 1U;
  constexpr std::size_t parts = compact_words / 8;
  alignas(64) std::uint64_t below[parts * batch_blocks / 8];
  compare_words(philox, VecU64(first_block) + VecU64::load_unaligned(lane_numbers), last, below);
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(below);
  std::uint64_t drawn = batch_blocks * compact_words / 4;
  for (std::size_t b = 0; b < batch_blocks; ++b, undecided += 4, kept += 4) {
    std::uint64_t keep = 0;
    for (std::size_t p = 0; p < parts; ++p) {
      keep |= std::uint64_t{bytes[p * batch_blocks + b]} << (8 * p);
    }
    int used = 0;
    for (std::size_t w = 0; w < 4; ++w) {
      kept[w] |= deposit_bits(keep, undecided[w]);
      const int count = __builtin_popcountll(undecided[w]);
      keep = count < 64 ? keep >> count : 0;
      used += count;
    }
    if (used > static_cast<int>(compact_words)) [[unlikely]] {
      drawn += compact_more(source, first_block + b, last, undecided, kept);
    }
  }
  return drawn;
}

inline std::uint64_t draw_slices_compact(const RuleSource& source, std::size_t elements,
                                         std::uint64_t* bits) {
  const PhiloxVec philox(source.seed, source.stream);
  return draw_slices(source, philox, compact_digits, elements, bits,
                     [&](std::uint64_t block, std::uint64_t* undecided, std::uint64_t* kept) {
                       std::uint64_t drawn = 0;
                       for (std::size_t b = 0; b < part_blocks; b += batch_blocks) {
                         drawn += compact_batch(source, philox, block + b, undecided + b * 4,
                                                kept + b * 4);
                       }
                       return drawn;
                     });
}

}  // namespace
}  // namespace simdrop::bench
