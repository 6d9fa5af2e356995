// Mask bits from Philox words, 256 elements to a block; the rules are those of mask.hpp.

constexpr std::size_t mask_block_elements = 256;
constexpr std::size_t slab_words = 8;  // a slab: one digit of 256 elements
constexpr std::size_t slab_vecs = 4 / slab_lanes;
constexpr std::size_t batch_blocks = 4;      // blocks whose digits are compared together
constexpr std::size_t max_draw_blocks = 33;  // as many as traverse.h asks for
constexpr std::uint32_t tie_low_mask = 0xFFFFFFU;

// kept and undecided elements of a batch of blocks, as words of 64 in element order.
struct DigitCompare {
  SlabU64 kept[batch_blocks][slab_vecs];
  SlabU64 undecided[batch_blocks][slab_vecs];
};

// One digit of T against the slabs that lie `digits` apart: a digit 1 keeps whatever is undecided
// and has the slab bit set (the element's digit is its complement), a digit 0 drops the others.
template <bool Digit>
inline void compare_digit(DigitCompare& state, const std::uint32_t* slabs, std::size_t digits) {
#pragma GCC unroll 4
  for (std::size_t b = 0; b < batch_blocks; ++b) {
#pragma GCC unroll 2
    for (std::size_t v = 0; v < slab_vecs; ++v) {
      const SlabU64 slab = load_slab(slabs + b * digits * slab_words + v * 2 * slab_lanes);
      SlabU64& undecided = state.undecided[b][v];
      if (Digit) {
        const SlabU64 taken = undecided & slab;
        state.kept[b][v] = state.kept[b][v] | taken;
        undecided = undecided ^ taken;
      } else {
        undecided = undecided & slab;
      }
    }
  }
}

// The undecided elements of `words` words of 64 draw 24 bits each, lanes_u64 to a Philox call.
template <int Rounds>
inline void resolve_ties(const PhiloxVec& philox, std::uint64_t first_element,
                         std::uint32_t threshold, std::uint64_t* undecided, std::size_t words,
                         std::uint64_t* kept) {
  // Positions of the undecided, without a branch on random bits: first the words that have any,
  // then one element of each; a word that still has more goes to the end of the list.
  std::uint16_t list[max_draw_blocks * mask_block_elements + lanes_u64];
  std::size_t ties = 0;
  for (std::size_t w = 0; w < words; ++w) {
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
  if (ties == 0) return;
  for (std::size_t i = 0; i < lanes_u64; ++i) list[ties + i] = list[ties - 1];  // pad the last call

  for (std::size_t i = 0; i < ties; i += lanes_u64) {
    std::uint64_t lane[4][lanes_u64];
    for (std::size_t j = 0; j < lanes_u64; ++j) {
      lane[0][j] = (std::uint64_t{1} << 63) + (first_element + list[i + j]) / 4;
    }
    PhiloxState state(philox, VecU64::load_unaligned(lane[0]));
#pragma GCC unroll 10
    for (int r = 0; r < Rounds; ++r) state.round(philox, r);
    state.x0.store_unaligned(lane[0]);
    state.x1.store_unaligned(lane[1]);
    state.x2.store_unaligned(lane[2]);
    state.x3.store_unaligned(lane[3]);
    for (std::size_t j = 0; j < lanes_u64; ++j) {
      const std::size_t element = list[i + j];
      const auto draw = static_cast<std::uint32_t>(lane[element % 4][j]) >> 8;
      const bool keep = draw < (threshold & tie_low_mask);
      kept[element / 64] |= std::uint64_t{keep} << (element % 64);
    }
  }
}

// Compares the digits of batch_blocks blocks; kept and undecided get their words of 64.
inline void compare_batch(const std::uint32_t* slabs, std::uint32_t threshold, std::size_t digits,
                          std::uint64_t* kept, std::uint64_t* undecided) {
  DigitCompare state;
#pragma GCC unroll 4
  for (std::size_t b = 0; b < batch_blocks; ++b) {
#pragma GCC unroll 2
    for (std::size_t v = 0; v < slab_vecs; ++v) {
      state.kept[b][v] = SlabU64(std::uint64_t{0});
      state.undecided[b][v] = SlabU64(~std::uint64_t{0});
    }
  }
  for (std::size_t j = 0; j < digits; ++j) {
    if ((threshold >> (31 - j) & 1U) != 0) {
      compare_digit<true>(state, slabs + j * slab_words, digits);
    } else {
      compare_digit<false>(state, slabs + j * slab_words, digits);
    }
  }
#pragma GCC unroll 4
  for (std::size_t b = 0; b < batch_blocks; ++b) {
#pragma GCC unroll 2
    for (std::size_t v = 0; v < slab_vecs; ++v) {
      state.kept[b][v].store_unaligned(kept + b * 4 + v * slab_lanes);
      state.undecided[b][v].store_unaligned(undecided + b * 4 + v * slab_lanes);
    }
  }
}

template <int Rounds>
inline void draw_digits(const MaskSource& source, std::uint64_t first_block, std::size_t blocks,
                        std::uint8_t* bits) {
  const PhiloxVec philox(source.seed, source.stream);
  const auto threshold = static_cast<std::uint32_t>(source.threshold);
  const auto significant = 32U - static_cast<unsigned>(__builtin_ctz(threshold));
  const std::size_t digits = significant < 8 ? significant : 8;
  // Few digits, many blocks: whole groups are drawn, and none should be thrown away.
  constexpr std::size_t span_slabs = 8 * batch_blocks;
  const std::size_t span = span_slabs / (digits * batch_blocks) * batch_blocks;
  alignas(64) std::uint32_t slabs[span_slabs * slab_words + group_words];
  alignas(64) std::uint64_t kept[(max_draw_blocks + span_slabs) * 4];
  alignas(64) std::uint64_t undecided[(max_draw_blocks + span_slabs) * 4];

  for (std::size_t block = 0; block < blocks; block += span) {
    const std::size_t count = smaller(blocks - block, span);
    draw_groups<Rounds>(philox, 2 * digits * (first_block + block), count * digits * slab_words,
                        slabs);
    for (std::size_t b = 0; b < count; b += batch_blocks) {
      compare_batch(slabs + b * digits * slab_words, threshold, digits, kept + (block + b) * 4,
                    undecided + (block + b) * 4);
    }
  }
  if (significant > 8) {
    resolve_ties<Rounds>(philox, first_block * mask_block_elements, threshold, undecided,
                         blocks * 4, kept);
  }
  std::memcpy(bits, kept, blocks * 32);
}

// MaskRule::words: one 32-bit word an element, kept iff it is below T, that is <= T - 1.
template <int Rounds>
inline void draw_compared_words(const MaskSource& source, std::uint64_t first_block,
                                std::size_t blocks, std::uint8_t* bits) {
  const PhiloxVec philox(source.seed, source.stream);
  const VecU32 last(static_cast<std::uint32_t>(source.threshold - 1));
  alignas(64) std::uint32_t words[mask_block_elements + group_words];
  for (std::size_t b = 0; b < blocks; ++b) {
    draw_groups<Rounds>(philox, (first_block + b) * (mask_block_elements / 4), mask_block_elements,
                        words);
    std::uint64_t packed[4] = {};
    for (std::size_t i = 0; i < mask_block_elements; i += VecU32::size) {
      const std::uint64_t below = bits_le_u32(VecU32::load_unaligned(words + i), last);
      packed[i / 64] |= below << (i % 64);
    }
    std::memcpy(bits + b * sizeof packed, packed, sizeof packed);
  }
}

void draw_blocks(const MaskSource& source, std::uint64_t first_block, std::size_t blocks,
                 std::uint8_t* bits) {
  if (source.rule == 1) {
    source.rounds == 7 ? draw_compared_words<7>(source, first_block, blocks, bits)
                       : draw_compared_words<10>(source, first_block, blocks, bits);
  } else {
    source.rounds == 7 ? draw_digits<7>(source, first_block, blocks, bits)
                       : draw_digits<10>(source, first_block, blocks, bits);
  }
}
