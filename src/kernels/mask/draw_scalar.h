// Mask bits by the rules of mask.hpp, a block at a time, in plain C++.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/mask/chunk.h"
#include "kernels/mask/overlap.h"
#include "kernels/mask/philox_scalar.h"
#include "kernels/mask/poisson.h"
#include "kernels/mask_arguments.h"

namespace simdrop::detail {
namespace {

inline void store_bits32(std::uint32_t bits, std::uint8_t* out) {
  for (unsigned i = 0; i < 4; ++i) out[i] = static_cast<std::uint8_t>(bits >> (8 * i));
}

// MaskRule::words: element i is kept iff word i < T.
inline void draw_words_block(const MaskSource& source, std::uint64_t block, std::uint8_t* bits) {
  const PhiloxStream philox{source.seed, source.stream, source.rounds};
  std::uint32_t words[4];
  for (unsigned word = 0; word < 8; ++word) {
    std::uint32_t kept = 0;
    for (unsigned i = 0; i < 32; i += 4) {
      philox.block(block * 64 + word * 8 + i / 4, words);
      for (unsigned j = 0; j < 4; ++j)
        kept |= std::uint32_t{words[j] < source.threshold} << (i + j);
    }
    store_bits32(kept, bits + std::size_t{4} * word);
  }
}

// MaskRule::dyadic, one block of 256 elements.
inline void draw_dyadic_block(const MaskSource& source, std::uint64_t block, std::uint8_t* bits) {
  const DyadicPlan& plan = source.dyadic;
  std::uint32_t kept[8];
  for (auto& word : kept) word = plan.digits == 0 && plan.numerator != 0 ? 0xFFFFFFFFU : 0U;
  for (std::uint32_t j = plan.digits; j-- > 0;) {
    const bool digit = (plan.numerator >> (plan.digits - 1 - j) & 1U) != 0;
    for (unsigned half = 0; half < 2; ++half) {
      std::uint32_t words[4];
      draw_piece(source, block, 2 * j + half, words);
      for (unsigned w = 0; w < 4; ++w) {
        std::uint32_t& k = kept[4 * half + w];
        k = digit ? k | words[w] : k & words[w];
      }
    }
  }
  std::uint64_t corrected[4] = {};
  if (plan.corrections.slots != 0) draw_corrections(source, block, corrected);
  for (unsigned w = 0; w < 8; ++w) {
    const auto change = static_cast<std::uint32_t>(corrected[w / 2] >> (32 * (w % 2)));
    store_bits32(plan.corrections_keep ? kept[w] | change : kept[w] & ~change,
                 bits + std::size_t{4} * w);
  }
}

struct MaskState {};  // nothing is worked out beforehand
inline MaskState make_mask_state(const MaskSource& /*source*/) {
  return {};
}

inline void draw_blocks(const MaskSource& source, const MaskState& /*state*/, std::uint64_t block,
                        std::size_t blocks, std::uint64_t* out, OverlappedWork& work) {
  auto* bits = reinterpret_cast<std::uint8_t*>(out);
  work.plan(blocks);
  for (std::size_t i = 0; i < blocks; ++i, bits += mask_block / 8) {
    if (source.rule == 1) {
      draw_words_block(source, block + i, bits);
    } else {
      draw_dyadic_block(source, block + i, bits);
    }
    work.after(1);
  }
}

}  // namespace
}  // namespace simdrop::detail
