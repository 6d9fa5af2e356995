/// @file
/// Bernoulli masks: one bit per element, set = kept.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "simdrop/api.h"
#include "simdrop/requirements.hpp"
#include "simdrop/rng.hpp"
#include "simdrop/threads.hpp"

namespace simdrop {

/// Version of the mask contract below. The bits that it describes never change; a better rule, or
/// another generator, would be a new value of MaskRule beside these and a higher version.
inline constexpr int mask_contract_version = 1;

/// How a bit follows from a stream. This text is the specification: it is meant to be enough to
/// write another implementation in any language, and tests/data/masks.txt holds its answers.
///
/// Generator: Philox4x32 with 10 rounds, or 7 (rng.hpp). block(c) is the Philox block of counter
/// (c, stream.id) and key stream.seed: four 32-bit words w0 ... w3, read as 128 bits, or as 16
/// bytes, least significant first. keep_prob counts as T / 2^32 with T = round(keep_prob * 2^32),
/// ties to even. T = 0 and T = 2^32 are exact and draw nothing, under every rule.
///
/// `dyadic` (the default): a mask of a probability that few bits an element can give, then a sparse
/// correction. Elements come in blocks of 256: element i is number e = i mod 256 of block
/// b = i / 256. All arithmetic below is on integers, but for step 3, which is in IEEE 754 double,
/// every operation rounded to nearest even, none contracted.
///
/// 1. Base: for d = 0 ... 8, n in {floor(T / 2^(32-d)), ceil(T / 2^(32-d))} and D = n * 2^(32-d),
///    let delta = |T - D|, M = D if T <= D, else 2^32 - D, and q = floor(delta * 2^32 / M), 0 if
///    delta = 0. Take the (d, n) of least d * 2^27 + q; of equals the smaller d, then the lesser n.
/// 2. Base bits: bit e of digit j of block b is bit e mod 128 of block((2j + e / 128) * 2^56 + b).
///    If d = 0 the base bit is n (0 or 1). Otherwise start with 0; for j = d-1 ... 0, if digit j of
///    n (worth 2^(d-1-j)) is 1, OR the bit of digit j to it, else AND it. It is 1 with probability
///    n / 2^d.
/// 3. Hits (if delta > 0): a block has K of them. Let A = M - delta, r = A / M, y = z * z with
///    z = delta / (A + M), h = 1/17; for m = 15, 13 ... 3, 1: h = h * y + 1/m; mean = 512 * z * h,
///    in that order, which is -256 ln r. p_0 = r^256 by squaring eight times; p_k = p_(k-1) *
///    (mean / k); s_0 = p_0; s_k = s_(k-1) + p_k; the sequence ends before the first k > 0 with
///    s_k = s_(k-1). c_k = min(floor(s_k * 2^64), 2^64 - 1). With u the first 64 bits of
///    block(2^63 + b), K is the number of k with u > c_k: a Poisson variable.
/// 4. Hit k of block b, 0 <= k < K, strikes element number g of it, where g is byte (k + 8) mod 16
///    of block(2^63 + (k + 8) / 16 * 2^56 + b). A struck element is dropped if T <= D, else kept,
///    whatever its base bit; the others keep their base bit.
///
/// As the hits of a block are Poisson with equally likely places, the elements are struck
/// independently, each with probability 1 - r. So bits are independent, as exactly as c_k are those
/// of a Poisson variable, and |P(kept) - keep_prob| < 2^-32. keep_prob 1/2 needs one random bit an
/// element, 1/4 and 3/4 two, .9 and .1 1.1, .7 2.8, .8 4.4, and none needs more than 5.4.
///
/// These blocks are also words of the stream: draw nothing else from a stream that masks use, and
/// give masks that must be independent streams, or elements, of their own.
///
/// `words`: kept iff word i of the stream (rng.hpp) is < T. For bit parity with frameworks that
/// compare one 32-bit word per element with a threshold.
enum class MaskRule : std::int32_t { dyadic = 0, words = 1 };

/// Everything that a dropout mask is a function of.
struct Dropout {
  double keep_prob = 1.0;            ///< probability that an element is kept, in [0, 1]
  Stream stream{};                   ///< source of randomness
  std::uint64_t first = 0;           ///< index in the stream of the first element of the call
  MaskRule rule = MaskRule::dyadic;  ///< how bits follow from the stream
  PhiloxRounds rounds = PhiloxRounds::ten;  ///< of the generator
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
/// mask: exactly mask_bytes(n) bytes. threads: who runs the call (threads.hpp).
/// Thread-safe; allocates nothing. Throws std::invalid_argument, naming the argument, if
/// keep_prob is NaN or outside [0, 1], mask.size() != mask_bytes(n), an enumeration is out of
/// range or threads.count < 0; then nothing is written.
SIMDROP_API void bernoulli_mask(const Dropout& dropout, std::size_t n, std::span<std::uint8_t> mask,
                                Threads threads = 1);

}  // namespace simdrop
