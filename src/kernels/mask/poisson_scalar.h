// Hits of the dyadic mask rule (mask.hpp, steps 3 and 4) in plain C++: the scalar table, and the
// few blocks of the vector ones that have more hits than slots. Included inside an anonymous
// namespace.

// K of a block whose first 64 bits are `draw`.
inline unsigned count_hits(const HitLaw& law, std::uint64_t draw) {
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

constexpr std::uint64_t first_hit_piece = 128;

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

// The places that are struck, as four words of 64 elements.
inline void draw_hits(const MaskSource& source, std::uint64_t block, std::uint64_t* struck) {
  std::uint32_t words[4];
  draw_piece(source, block, first_hit_piece, words);
  const unsigned hits = count_hits(source.dyadic.hits, words[1] * (1ULL << 32) + words[0]);
  for (unsigned w = 0; w < 4; ++w) struck[w] = 0;
  for (unsigned k = 0; k < hits; ++k) {
    const unsigned at = k + 8;
    if (at % 16 == 0) draw_piece(source, block, first_hit_piece + at / 16, words);
    const unsigned place = words[at % 16 / 4] >> (at % 4 * 8) & 255U;
    struck[place / 64] |= 1ULL << (place % 64);
  }
}
