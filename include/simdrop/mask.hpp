// Bernoulli masks: one bit per element, set = kept.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "simdrop/rng.hpp"

namespace simdrop {

/// How a bit follows from the words of a stream. Let T = round(keep_prob * 2^32), ties to even,
/// so that a bit is set with probability T / 2^32 exactly: |P(kept) - keep_prob| <= 2^-33.
///
/// `digits` (the default). Write T as 32 binary digits t0 (worth 1/2) ... t31; let s be the number
/// of digits up to the last 1, and d = min(8, s). Element i lies in block b = i / 256 at place
/// e = i mod 256. Its digit r_j, 0 <= j < d, is the complement of bit (e mod 32) of word
/// 8 * (d * b + j) + e / 32 of the stream. Compare the number 0.r_0 r_1 ... r_(d-1) with
/// 0.t_0 t_1 ... t_(d-1): smaller = kept, greater = dropped. Equal: dropped if s <= 8; otherwise
/// kept iff (u >> 8) < T mod 2^24, where u is word (i mod 4) of the Philox block with counter
/// (2^63 + i / 4, stream.id). So keep_prob 1/2 costs one bit an element, 1/4 and 3/4 two, and
/// any other at most eight and a rare tie draw.
///
/// `words`: kept iff word i of the stream is < T. For bit parity with frameworks that compare one
/// 32-bit word per element with a threshold.
///
/// keep_prob 0 and 1 (T = 0 and T = 2^32) are exact under both rules and draw nothing.
enum class MaskRule : std::int32_t { digits = 0, words = 1 };

/// Everything that a dropout mask is a function of.
struct Dropout {
  double keep_prob = 1.0;   ///< probability that an element is kept, in [0, 1]
  Stream stream{};          ///< source of randomness
  std::uint64_t first = 0;  ///< index in the stream of the first element of the call
  MaskRule rule = MaskRule::digits;
  PhiloxRounds rounds = PhiloxRounds::ten;
};

/// Bytes of a mask of n elements: (n + 7) / 8.
[[nodiscard]] constexpr std::size_t mask_bytes(std::size_t n) noexcept {
  return n / 8 + (n % 8 != 0);
}

/// Reads bit i of a mask (LSB first, as NumPy's packbits(bitorder="little") and Arrow).
[[nodiscard]] constexpr bool mask_bit(std::span<const std::uint8_t> mask, std::size_t i) {
  return ((mask[i / 8] >> (i % 8)) & 1U) != 0;
}

/// Writes the mask of elements dropout.first ... dropout.first + n - 1: bit i (mask[i / 8] >>
/// (i % 8) & 1) is set iff element dropout.first + i is kept. Unused bits of the last byte are 0.
/// A bit is a pure function of (stream, element index, keep_prob, rule, rounds): any sub-range,
/// split, order, thread count and instruction set gives the same bits. Element indices wrap
/// modulo 2^64.
/// mask: exactly mask_bytes(n) bytes. num_threads: at most so many OpenMP threads.
/// Thread-safe; allocates nothing. Throws std::invalid_argument, naming the argument, if
/// keep_prob is NaN or outside [0, 1], mask.size() != mask_bytes(n), an enumeration is out of
/// range or num_threads < 1; then nothing is written.
void bernoulli_mask(const Dropout& dropout, std::size_t n, std::span<std::uint8_t> mask,
                    int num_threads = 1);

}  // namespace simdrop
