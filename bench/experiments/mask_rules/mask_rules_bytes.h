// byte_compare: a random byte an element, compared with the upper 8 bits of T; one of 256 is equal
// and draws 24 bits more.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "experiments/mask_rules/mask_rules_isa.h"
#include "experiments/mask_rules/mask_rules_ties.h"
#include "kernels/isa/isa.h"
#include "kernels/mask/draw_vector.h"

namespace simdrop::bench {
namespace {

using namespace simdrop::detail;

// Bit i of the results: byte i of a vector is below `limit`, or equal to it.
struct ByteCompare {
#if defined(SIMDROP_ISA_AVX512)
  std::uint64_t below, equal;
  ByteCompare(VecU64 bytes, std::uint8_t limit) {
    const __m512i limits = _mm512_set1_epi8(static_cast<char>(limit));
    below = _mm512_cmplt_epu8_mask(bytes, limits);
    equal = _mm512_cmpeq_epi8_mask(bytes, limits);
  }
#elif defined(SIMDROP_ISA_AVX2)
  std::uint32_t below, equal;
  ByteCompare(VecU64 bytes, std::uint8_t limit) {
    const __m256i limits = _mm256_set1_epi8(static_cast<char>(limit));
    const __m256i not_below = _mm256_cmpeq_epi8(_mm256_max_epu8(bytes, limits), bytes);
    below = ~static_cast<std::uint32_t>(_mm256_movemask_epi8(not_below));
    equal = static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(bytes, limits)));
  }
#else
  std::uint16_t below, equal;
  ByteCompare(VecU64 bytes, std::uint8_t limit) {
    const uint8x16_t values = vreinterpretq_u8_u64(bytes);
    below = bits_of(vcltq_u8(values, vdupq_n_u8(limit)));
    equal = bits_of(vceqq_u8(values, vdupq_n_u8(limit)));
  }
  static std::uint16_t bits_of(uint8x16_t mask) {
    const std::uint8_t weights[8] = {1, 2, 4, 8, 16, 32, 64, 128};
    const uint8x8_t weight = vld1_u8(weights);
    const unsigned low = vaddv_u8(vand_u8(vget_low_u8(mask), weight));
    const unsigned high = vaddv_u8(vand_u8(vget_high_u8(mask), weight));
    return static_cast<std::uint16_t>(low | high << 8);
  }
#endif
};

// Eight Philox blocks serve 128 elements: words 0 and 1 of each the first 64, words 2 and 3 the
// others. So vectors of any width need no shuffle.
template <bool Ties>
inline void compare_part(const PhiloxVec& philox, std::uint64_t block, std::uint8_t limit,
                         std::uint64_t* kept, std::uint64_t* undecided) {
  auto* below = reinterpret_cast<unsigned char*>(kept);
  auto* equal = reinterpret_cast<unsigned char*>(undecided);
  for (std::size_t b = 0; b < part_elements / 16; b += mask_vectors * lanes_u64) {
    const VecU64 blocks = VecU64(block + b) + VecU64::load_unaligned(lane_numbers);
    draw_pieces<rule_rounds, mask_vectors>(
        philox, blocks, 0, [&](std::size_t g, VecU64 low, VecU64 high) {
          const std::size_t at = b + g * lanes_u64;
          for (std::size_t half = 0; half < 2; ++half) {
            const ByteCompare compared(half == 0 ? low : high, limit);
            const std::size_t to = at / 8 * 16 + half * 8 + at % 8;
            std::memcpy(below + to, &compared.below, sizeof compared.below);
            if (Ties) std::memcpy(equal + to, &compared.equal, sizeof compared.equal);
          }
        });
  }
}

inline std::uint64_t draw_byte_compare(const RuleSource& source, std::size_t elements,
                                       std::uint64_t* bits) {
  const PhiloxVec philox(source.seed, source.stream);
  const auto limit = static_cast<std::uint8_t>(source.threshold >> 24);
  alignas(64) std::uint64_t undecided[part_words];
  std::uint64_t drawn = elements / 16;
  for (std::size_t at = 0; at < elements; at += part_elements, bits += part_words) {
    const std::uint64_t first = source.first + at;
    if ((source.threshold & tie_bits) == 0) {
      compare_part<false>(philox, first / 16, limit, bits, undecided);
    } else {
      compare_part<true>(philox, first / 16, limit, bits, undecided);
      drawn += resolve_ties(philox, first, source.threshold, undecided, bits);
    }
  }
  return drawn;
}

}  // namespace
}  // namespace simdrop::bench
