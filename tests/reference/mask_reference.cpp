#include "reference/mask_reference.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "reference/philox_reference.h"

namespace reference {

namespace {

constexpr double two32 = 4294967296.0;

// Step 3, term by term as the text has it.
std::vector<std::uint64_t> hit_sequence(std::uint64_t delta, std::uint64_t whole) {
  const double a = static_cast<double>(whole) - static_cast<double>(delta);
  const double z = static_cast<double>(delta) / (a + static_cast<double>(whole));
  const double y = z * z;
  double h = 1.0 / 17.0;
  for (const double m : {15.0, 13.0, 11.0, 9.0, 7.0, 5.0, 3.0, 1.0}) h = h * y + 1.0 / m;
  const double mean = 512.0 * z * h;
  double p = a / static_cast<double>(whole);
  for (int squaring = 0; squaring < 8; ++squaring) p = p * p;

  std::vector<std::uint64_t> c;
  const auto add = [&c](double s) {
    const double scaled = std::floor(s * two32 * two32);
    c.push_back(scaled < two32 * two32 ? static_cast<std::uint64_t>(scaled) : ~std::uint64_t{0});
  };
  double s = p;
  add(s);
  for (double k = 1.0;; k += 1.0) {
    p = p * (mean / k);
    if (s + p == s) return c;
    s = s + p;
    add(s);
  }
}

// Byte `at` of a Philox block.
unsigned byte_of(const MaskSpec& spec, std::uint64_t counter, unsigned at) {
  const std::uint32_t word = block_word(spec.seed, spec.stream, counter, at / 4, spec.rounds);
  return word >> (8 * (at % 4)) & 0xFFU;
}

// Step 4: which elements of a block are struck.
std::vector<bool> struck(const MaskSpec& spec, const Dyadic& rule, std::uint64_t b) {
  const std::uint64_t domain = std::uint64_t{1} << 63;
  const std::uint64_t low = block_word(spec.seed, spec.stream, domain + b, 0, spec.rounds);
  const std::uint64_t high = block_word(spec.seed, spec.stream, domain + b, 1, spec.rounds);
  const std::uint64_t u = low + (high << 32);
  const auto hits = std::count_if(rule.c.begin(), rule.c.end(), [u](auto c) { return u > c; });
  std::vector<bool> result(256, false);
  for (std::uint64_t k = 0; k < static_cast<std::uint64_t>(hits); ++k) {
    const std::uint64_t counter = domain + ((k + 8) / 16 << 56) + b;
    result[byte_of(spec, counter, static_cast<unsigned>((k + 8) % 16))] = true;
  }
  return result;
}

// Step 2.
bool base_bit(const MaskSpec& spec, const Dyadic& rule, std::uint64_t b, unsigned e) {
  if (rule.d == 0) return rule.n != 0;
  bool bit = false;
  for (unsigned j = rule.d; j > 0; --j) {
    const std::uint64_t piece = 2 * (std::uint64_t{j} - 1) + e / 128;
    const unsigned byte = byte_of(spec, (piece << 56) + b, e % 128 / 8);
    const bool drawn = (byte >> (e % 8)) % 2 == 1;
    const bool digit = (rule.n >> (rule.d - j)) % 2 == 1;
    bit = digit ? bit || drawn : bit && drawn;
  }
  return bit;
}

}  // namespace

std::uint64_t threshold(double keep_prob) {
  const double scaled = keep_prob * two32;  // exact: a power of two
  const double below = std::floor(scaled);
  const auto whole = static_cast<std::uint64_t>(below);
  const double rest = scaled - below;
  if (rest > 0.5 || (rest == 0.5 && whole % 2 == 1)) return whole + 1;
  return whole;
}

Dyadic dyadic(std::uint64_t t) {
  constexpr std::uint64_t one = std::uint64_t{1} << 32;
  Dyadic best;
  std::uint64_t least = ~std::uint64_t{0};
  for (unsigned d = 0; d <= 8; ++d) {
    const std::uint64_t unit = one >> d;
    for (const std::uint64_t n : {t / unit, (t + unit - 1) / unit}) {
      const std::uint64_t base = n * unit;
      const std::uint64_t delta = std::max(t, base) - std::min(t, base);
      const std::uint64_t whole = t <= base ? base : one - base;
      const std::uint64_t cost =
          d * (std::uint64_t{1} << 27) + (delta == 0 ? 0 : delta * one / whole);
      if (cost < least) {
        least = cost;
        best = {d, n, base, delta, whole, {}};
      }
    }
  }
  if (best.delta > 0) best.c = hit_sequence(best.delta, best.whole);
  return best;
}

std::vector<std::uint8_t> mask(const MaskSpec& spec, std::size_t n) {
  const std::uint64_t t = threshold(spec.keep_prob);
  const bool drawn = t != 0 && t != std::uint64_t{1} << 32;
  const Dyadic rule = drawn && spec.rule == Rule::dyadic ? dyadic(t) : Dyadic{};
  std::map<std::uint64_t, std::vector<bool>> hits;  // by block
  const auto kept = [&](std::uint64_t index) {
    if (!drawn) return t != 0;
    if (spec.rule == Rule::words) {
      return stream_word(spec.seed, spec.stream, index, spec.rounds) < t;
    }
    const std::uint64_t b = index / 256;
    const auto e = static_cast<unsigned>(index % 256);
    if (rule.delta > 0) {
      const auto block = hits.find(b);
      const auto& all = block != hits.end() ? block->second : hits[b] = struck(spec, rule, b);
      if (all[e]) return t > rule.base;
    }
    return base_bit(spec, rule, b, e);
  };
  std::vector<std::uint8_t> bits((n + 7) / 8, 0);
  for (std::size_t i = 0; i < n; ++i) {
    if (kept(spec.first + i))
      bits[i / 8] = static_cast<std::uint8_t>(bits[i / 8] | (1U << (i % 8)));
  }
  return bits;
}

}  // namespace reference
