// Rules that compare the digits of T with bit slices: bit e of a slice is a digit of element e of a
// block of 256. They differ in what becomes of the elements that the first digits leave undecided.
#pragma once

#include <cstddef>
#include <cstdint>

#include "experiments/mask_rules/mask_rules_isa.h"
#include "experiments/mask_rules/mask_rules_ties.h"
#include "kernels/isa/isa.h"
#include "kernels/mask/draw_vector.h"

namespace simdrop::bench {
namespace {

using namespace simdrop::detail;

constexpr std::size_t part_blocks = part_elements / mask_block;
constexpr std::size_t batch_blocks = mask_vectors * lanes_u64;

// Digits of T up to its last 1: elements that are undecided after those are dropped.
inline unsigned significant_digits(std::uint64_t threshold) {
  return 32U - static_cast<unsigned>(__builtin_ctzll(threshold));
}
inline bool digit_of(std::uint64_t threshold, unsigned j) {
  return (threshold >> (31 - j) & 1U) != 0;
}

// Compares the first `digits` digits of a part, the last one first: a slice bit is the complement
// of the element's digit.
template <bool Ties>
inline void compare_digits(const PhiloxVec& philox, std::uint64_t first_block,
                           std::uint64_t threshold, unsigned digits, std::uint64_t* kept_words,
                           std::uint64_t* undecided_words) {
  for (std::size_t b = 0; b < part_blocks; b += batch_blocks) {
    const VecU64 blocks = VecU64(first_block + b) + VecU64::load_unaligned(lane_numbers);
    VecU64 kept[mask_vectors][4];
    VecU64 undecided[mask_vectors][4];
    for (std::size_t half = 0; half < 4; half += 2) {
      for (std::size_t g = 0; g < mask_vectors; ++g) {
        for (std::size_t w = half; w < half + 2; ++w) {
          kept[g][w] = VecU64(std::uint64_t{0});
          undecided[g][w] = VecU64(~std::uint64_t{0});
        }
      }
      for (unsigned j = digits; j-- > 0;) {
        const bool digit = digit_of(threshold, j);
        const VecU64 decide(digit ? ~std::uint64_t{0} : std::uint64_t{0});
        draw_pieces<rule_rounds, mask_vectors>(
            philox, blocks, 2 * j + half / 2, [&](std::size_t g, VecU64 low, VecU64 high) {
              kept[g][half] = fold_digit(kept[g][half], low, digit);
              kept[g][half + 1] = fold_digit(kept[g][half + 1], high, digit);
              if (!Ties) return;
              undecided[g][half] = undecided[g][half] & (low ^ decide);
              undecided[g][half + 1] = undecided[g][half + 1] & (high ^ decide);
            });
      }
    }
    for (std::size_t g = 0; g < mask_vectors; ++g) {
      const std::size_t at = (b + g * lanes_u64) * 4;
      const VecU64* k = kept[g];
      const VecU64* u = undecided[g];
      store_transposed(k[0], k[1], k[2], k[3], kept_words + at);
      if (Ties) store_transposed(u[0], u[1], u[2], u[3], undecided_words + at);
    }
  }
}

// Draws parts by `digits` digits and, if T has more, resolve(first block, undecided, kept), which
// returns how many Philox blocks it computed.
template <class Resolve>
inline std::uint64_t draw_slices(const RuleSource& source, const PhiloxVec& philox, unsigned digits,
                                 std::size_t elements, std::uint64_t* bits, Resolve resolve) {
  const unsigned significant = significant_digits(source.threshold);
  alignas(64) std::uint64_t undecided[part_words];
  std::uint64_t drawn = 0;
  for (std::size_t at = 0; at < elements; at += part_elements, bits += part_words) {
    const std::uint64_t block = (source.first + at) / mask_block;
    if (significant <= digits) {
      compare_digits<false>(philox, block, source.threshold, significant, bits, undecided);
      drawn += 2 * significant * part_blocks;
    } else {
      compare_digits<true>(philox, block, source.threshold, digits, bits, undecided);
      drawn += 2 * digits * part_blocks + resolve(block, undecided, bits);
    }
  }
  return drawn;
}

// digits8: what is undecided draws 24 bits an element.
inline std::uint64_t draw_digits8(const RuleSource& source, std::size_t elements,
                                  std::uint64_t* bits) {
  const PhiloxVec philox(source.seed, source.stream);
  return draw_slices(source, philox, 8, elements, bits,
                     [&](std::uint64_t block, std::uint64_t* undecided, std::uint64_t* kept) {
                       return resolve_ties(philox, block * mask_block, source.threshold, undecided,
                                           kept);
                     });
}

// slices_early_exit: more digits until all is decided. From the 8th on only for the halves of
// blocks that need them, one to a lane; several digits at once cover a round's latency.
constexpr unsigned tail_digits = 3;

struct TailLanes {
  alignas(64) std::uint64_t counter[lanes_u64];
  alignas(64) std::uint64_t undecided[2][lanes_u64];
  alignas(64) std::uint64_t kept[2][lanes_u64];
};

// Compares digits j ... j + tail_digits - 1, or up to the last significant one.
inline void compare_tail(const PhiloxVec& philox, std::uint64_t threshold, unsigned j,
                         VecU64 counter, VecU64 (&kept)[2], VecU64 (&undecided)[2]) {
  PhiloxState state[tail_digits];
  for (unsigned i = 0; i < tail_digits; ++i) {
    state[i] = PhiloxState(philox, counter + VecU64(std::uint64_t{2 * (j + i)} << 56));
  }
  run_rounds<rule_rounds>(philox, state);
  for (unsigned i = 0; i < tail_digits && j + i < significant_digits(threshold); ++i) {
    const bool digit = digit_of(threshold, j + i);
    const VecU64 slice[2] = {pack_words(state[i].x0, state[i].x1),
                             pack_words(state[i].x2, state[i].x3)};
    for (int w = 0; w < 2; ++w) {
      if (digit) kept[w] = kept[w] | (undecided[w] & slice[w]);
      undecided[w] = undecided[w] & (digit ? ~slice[w] : slice[w]);
    }
  }
}

// Returns how many Philox blocks it computed.
inline std::uint64_t finish_lanes(const PhiloxVec& philox, std::uint64_t threshold,
                                  TailLanes& lanes) {
  const VecU64 counter = VecU64::load_unaligned(lanes.counter);
  const VecU64 low_half(std::uint64_t{0xFFFFFFFF});
  VecU64 kept[2] = {VecU64(std::uint64_t{0}), VecU64(std::uint64_t{0})};
  VecU64 undecided[2] = {VecU64::load_unaligned(lanes.undecided[0]),
                         VecU64::load_unaligned(lanes.undecided[1])};
  unsigned j = 8;
  for (bool more = true; more && j < significant_digits(threshold); j += tail_digits) {
    compare_tail(philox, threshold, j, counter, kept, undecided);
    const VecU64 left = undecided[0] | undecided[1];
    more = any_above(shift_right32(left) | (left & low_half), 0);  // a signed comparison
  }
  kept[0].store_unaligned(lanes.kept[0]);
  kept[1].store_unaligned(lanes.kept[1]);
  return (j - 8) * lanes_u64;
}

inline std::uint64_t draw_slices_early_exit(const RuleSource& source, std::size_t elements,
                                            std::uint64_t* bits) {
  const PhiloxVec philox(source.seed, source.stream);
  const auto finish = [&](std::uint64_t block, std::uint64_t* undecided, std::uint64_t* kept) {
    std::uint16_t halves[2 * part_blocks + lanes_u64];
    std::size_t pending = 0;
    for (std::size_t h = 0; h < 2 * part_blocks; ++h) {
      halves[pending] = static_cast<std::uint16_t>(h);
      pending += (undecided[2 * h] | undecided[2 * h + 1]) != 0;
    }
    for (std::size_t i = 0; i < lanes_u64 && pending != 0; ++i) {
      halves[pending + i] = halves[pending - 1];
    }
    std::uint64_t drawn = 0;
    for (std::size_t done = 0; done < pending; done += lanes_u64) {
      TailLanes lanes;
      for (std::size_t i = 0; i < lanes_u64; ++i) {
        const std::size_t h = halves[done + i];
        lanes.counter[i] = (std::uint64_t{h % 2} << 56) + block + h / 2;
        for (std::size_t w = 0; w < 2; ++w) lanes.undecided[w][i] = undecided[2 * h + w];
      }
      drawn += finish_lanes(philox, source.threshold, lanes);
      for (std::size_t i = 0; i < lanes_u64; ++i) {
        for (std::size_t w = 0; w < 2; ++w) kept[2 * halves[done + i] + w] |= lanes.kept[w][i];
      }
    }
    return drawn;
  };
  return draw_slices(source, philox, 8, elements, bits, finish);
}

}  // namespace
}  // namespace simdrop::bench
