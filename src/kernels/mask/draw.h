// Mask bits by the rules of mask.hpp. A lane holds what belongs to one block of 256 elements, so
// that a mask stays in lanes from the generator to its last correction.

constexpr std::size_t mask_block_elements = 256;
constexpr std::size_t chunk_elements = mask_groups * lanes_u64 * mask_block_elements;
constexpr std::uint64_t lane_numbers[8] = {0, 1, 2, 3, 4, 5, 6, 7};

// Costs of a piece and of eight slots of a group of blocks, for sharing out the side work.
constexpr std::size_t piece_units = 3;
constexpr std::size_t slots_units = 1;

// Draws one piece (16 bytes a block, as two words) of Groups * lanes_u64 blocks.
template <int Rounds, std::size_t Groups, class Emit>
inline void draw_pieces(const PhiloxVec& philox, VecU64 blocks, std::uint64_t piece, Emit emit) {
  PhiloxState state[Groups];
#pragma GCC unroll 8
  for (std::size_t g = 0; g < Groups; ++g) {
    state[g] = PhiloxState(philox, blocks + VecU64((piece << 56) + g * lanes_u64));
  }
  run_rounds<Rounds>(philox, state);
#pragma GCC unroll 8
  for (std::size_t g = 0; g < Groups; ++g) {
    emit(g, pack_words(state[g].x0, state[g].x1), pack_words(state[g].x2, state[g].x3));
  }
}

// The places struck by up to law.slots hits of one group, as words of 64 elements. draws holds the
// words of the group's pieces, `stride` vectors apart.
inline void strike(const HitLaw& law, const VecU64* draws, std::size_t stride, VecU64* struck) {
  const VecU64 u = draws[0] ^ VecU64(std::uint64_t{1} << 63);
  const VecU64 byte(std::uint64_t{255});
  VecU64 s0(std::uint64_t{0}), s1 = s0, s2 = s0, s3 = s0;
  for (int slot = 0; slot < law.slots; slot += 8) {
    draws += stride;
    const VecU64 places = *draws;
#pragma GCC unroll 4
    for (int i = 0; i < 8; i += 2) {
      const HitLanes a(u, law.cdf[slot + i]);
      const HitLanes b(u, law.cdf[slot + i + 1]);
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
  struck[0] = s0, struck[1] = s1, struck[2] = s2, struck[3] = s3;
}

// Draws again, one by one, the blocks of a group that have more hits than slots.
inline void strike_more(const MaskSource& source, std::uint64_t block, const VecU64& u,
                        VecU64* struck) {
  alignas(64) std::uint64_t draw[lanes_u64];
  alignas(64) std::uint64_t words[4][lanes_u64];
  u.store_unaligned(draw);
  for (std::size_t w = 0; w < 4; ++w) struck[w].store_unaligned(words[w]);
  const HitLaw& law = source.dyadic.hits;
  for (std::size_t lane = 0; lane < lanes_u64; ++lane) {
    if (static_cast<std::int64_t>(draw[lane] ^ (1ULL << 63)) <= law.cdf[law.slots]) continue;
    std::uint64_t all[4];
    draw_hits(source, block + lane, all);
    for (std::size_t w = 0; w < 4; ++w) words[w][lane] = all[w];
  }
  for (std::size_t w = 0; w < 4; ++w) struck[w] = VecU64::load_unaligned(words[w]);
}

template <int Rounds, std::size_t Groups>
inline void draw_base(const DyadicPlan& plan, const PhiloxVec& philox, VecU64 blocks,
                      VecU64 (&kept)[Groups][4], const SideWork& side) {
  const bool ones = plan.digits == 0 && plan.numerator != 0;
  for (auto& words : kept) {
    for (VecU64& word : words) word = VecU64(ones ? ~std::uint64_t{0} : std::uint64_t{0});
  }
  for (std::uint32_t j = plan.digits; j-- > 0;) {
    const bool digit = (plan.numerator >> (plan.digits - 1 - j) & 1U) != 0;
    for (std::size_t half = 0; half < 2; ++half) {
      draw_pieces<Rounds, Groups>(philox, blocks, 2 * j + half,
                                  [&](std::size_t g, VecU64 low, VecU64 high) {
                                    VecU64* k = kept[g] + 2 * half;
                                    k[0] = fold_digit(k[0], low, digit);
                                    k[1] = fold_digit(k[1], high, digit);
                                  });
      side.step(piece_units);
    }
  }
}

template <int Rounds, std::size_t Groups>
inline void correct(const MaskSource& source, const PhiloxVec& philox, std::uint64_t block,
                    VecU64 blocks, VecU64 (&kept)[Groups][4], const SideWork& side) {
  constexpr std::size_t max_pieces = (HitLaw::max_slots + 8 + 15) / 16;
  const HitLaw& law = source.dyadic.hits;
  const auto pieces = static_cast<std::size_t>(law.slots + 8 + 15) / 16;
  VecU64 draws[2 * max_pieces][Groups] = {};
  for (std::size_t c = 0; c < pieces; ++c) {
    draw_pieces<Rounds, Groups>(philox, blocks, first_hit_piece + c,
                                [&](std::size_t g, VecU64 low, VecU64 high) {
                                  draws[2 * c][g] = low;
                                  draws[2 * c + 1][g] = high;
                                });
    side.step(piece_units);
  }
  for (std::size_t g = 0; g < Groups; ++g) {
    VecU64 struck[4];
    strike(law, &draws[0][g], Groups, struck);
    if (any_above(draws[0][g] ^ VecU64(std::uint64_t{1} << 63), law.cdf[law.slots])) [[unlikely]] {
      strike_more(source, block + g * lanes_u64, draws[0][g], struck);
    }
    for (std::size_t w = 0; w < 4; ++w) {
      VecU64& k = kept[g][w];
      k = source.dyadic.hits_keep ? k | struck[w] : k & ~struck[w];
    }
    side.step(static_cast<std::size_t>(law.slots) / 8 * slots_units);
  }
}

inline std::size_t side_units(const DyadicPlan& plan, std::size_t groups) {
  const auto slots = static_cast<std::size_t>(plan.hits.slots);
  const std::size_t pieces = 2 * plan.digits + (slots == 0 ? 0 : (slots + 8 + 15) / 16);
  return pieces * piece_units + slots / 8 * slots_units * groups;
}

// Writes the bits of Groups * lanes_u64 blocks.
template <int Rounds, std::size_t Groups>
inline void draw_batch(const MaskSource& source, const PhiloxVec& philox, std::uint64_t block,
                       std::uint64_t* bits, SideWork& side) {
  const VecU64 blocks = VecU64(block) + VecU64::load_unaligned(lane_numbers);
  VecU64 kept[Groups][4];
  side.plan(side_units(source.dyadic, Groups));
  draw_base<Rounds, Groups>(source.dyadic, philox, blocks, kept, side);
  if (source.dyadic.hits.slots != 0) {
    correct<Rounds, Groups>(source, philox, block, blocks, kept, side);
  }
  for (std::size_t g = 0; g < Groups; ++g) {
    store_transposed(kept[g][0], kept[g][1], kept[g][2], kept[g][3], bits + g * 4 * lanes_u64);
  }
}

// Draws the mask of one call.
struct MaskDrawer {
  const MaskSource& source;
  PhiloxVec philox;

  explicit MaskDrawer(const MaskSource& mask) : source(mask), philox(mask.seed, mask.stream) {}

  template <int Rounds>
  void dyadic(std::uint64_t block, std::size_t blocks, std::uint64_t* bits, SideWork& side) const {
    for (; blocks > mask_groups / 2 * lanes_u64; bits += mask_groups * lanes_u64 * 4) {
      draw_batch<Rounds, mask_groups>(source, philox, block, bits, side);
      if (blocks <= mask_groups * lanes_u64) return;
      block += mask_groups * lanes_u64;
      blocks -= mask_groups * lanes_u64;
    }
    if (blocks > lanes_u64) {
      draw_batch<Rounds, mask_groups / 2>(source, philox, block, bits, side);
    } else if (blocks > 0) {
      draw_batch<Rounds, 1>(source, philox, block, bits, side);
    }
  }

  // MaskRule::words: one 32-bit word an element, kept iff it is below T, that is <= T - 1.
  template <int Rounds>
  void words(std::uint64_t block, std::size_t blocks, std::uint64_t* bits, SideWork& side) const {
    const VecU32 last(static_cast<std::uint32_t>(source.threshold - 1));
    // Blocks at a time: few words of the last group are then for nothing.
    constexpr std::size_t span = 3;
    alignas(64) std::uint32_t drawn[span * mask_block_elements + group_words];
    side.plan(blocks);
    for (std::size_t b = 0; b < blocks; b += span) {
      const std::size_t n = smaller(blocks - b, span) * mask_block_elements;
      draw_groups<Rounds>(philox, (block + b) * (mask_block_elements / 4), n, drawn);
      for (std::size_t i = 0; i < n; i += VecU32::size) {
        const std::uint64_t below = bits_le_u32(VecU32::load_unaligned(drawn + i), last);
        if (i % 64 == 0) bits[i / 64] = 0;
        bits[i / 64] |= below << (i % 64);
      }
      bits += n / 64;
      side.step(n / mask_block_elements);
    }
  }

  // Writes the bits of `blocks` blocks, four words each, and up to a batch of blocks in all.
  void draw(std::uint64_t block, std::size_t blocks, std::uint64_t* bits, SideWork& side) const {
    if (source.rule == 1) {
      source.rounds == 7 ? words<7>(block, blocks, bits, side)
                         : words<10>(block, blocks, bits, side);
    } else {
      source.rounds == 7 ? dyadic<7>(block, blocks, bits, side)
                         : dyadic<10>(block, blocks, bits, side);
    }
  }
};
