#include "mask_reference.h"

#include <cmath>

#include "philox_reference.h"

namespace reference {

namespace {

// Digit t_j of T, worth 2^-(j+1).
unsigned digit(std::uint64_t t, unsigned j) {
  return static_cast<unsigned>((t >> (31 - j)) & 1);
}

unsigned significant_digits(std::uint64_t t) {
  unsigned s = 32;
  while (digit(t, s - 1) == 0) --s;
  return s;
}

bool kept_by_digits(const MaskSpec& spec, std::uint64_t t, std::uint64_t index) {
  const unsigned s = significant_digits(t);
  const unsigned d = s < 8 ? s : 8;
  const std::uint64_t b = index / 256;
  const std::uint64_t e = index % 256;
  for (unsigned j = 0; j < d; ++j) {
    const std::uint32_t word =
        stream_word(spec.seed, spec.stream, 8 * (d * b + j) + e / 32, spec.rounds);
    const unsigned r = (word >> (e % 32)) % 2 == 0 ? 1 : 0;
    if (r < digit(t, j)) return true;
    if (r > digit(t, j)) return false;
  }
  if (s <= 8) return false;
  const std::uint64_t tie_domain = std::uint64_t{1} << 63;
  const std::uint32_t u = block_word(spec.seed, spec.stream, tie_domain + index / 4,
                                     static_cast<unsigned>(index % 4), spec.rounds);
  return u / 256 < t % (std::uint64_t{1} << 24);
}

}  // namespace

std::uint64_t threshold(double keep_prob) {
  const double scaled = keep_prob * 4294967296.0;  // exact: a power of two
  const double below = std::floor(scaled);
  const auto whole = static_cast<std::uint64_t>(below);
  const double rest = scaled - below;
  if (rest > 0.5 || (rest == 0.5 && whole % 2 == 1)) return whole + 1;
  return whole;
}

bool kept(const MaskSpec& spec, std::uint64_t index) {
  const std::uint64_t t = threshold(spec.keep_prob);
  if (t == 0) return false;
  if (t == std::uint64_t{1} << 32) return true;
  if (spec.rule == Rule::digits) return kept_by_digits(spec, t, index);
  return stream_word(spec.seed, spec.stream, index, spec.rounds) < t;
}

std::vector<std::uint8_t> mask(const MaskSpec& spec, std::size_t n) {
  std::vector<std::uint8_t> bits((n + 7) / 8, 0);
  for (std::size_t i = 0; i < n; ++i) {
    if (kept(spec, spec.first + i)) {
      bits[i / 8] = static_cast<std::uint8_t>(bits[i / 8] | (1U << (i % 8)));
    }
  }
  return bits;
}

}  // namespace reference
