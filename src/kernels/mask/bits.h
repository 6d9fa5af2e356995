// Mask bits in bytes, LSB first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/isa/basics.h"

namespace simdrop::detail {
namespace {

// Bits position ... position + n - 1 (1 <= n <= 64); reads only the bytes that hold them, and the
// others of the result are unspecified.
inline std::uint64_t load_bits(const std::uint8_t* bits, std::size_t position, std::size_t n) {
  const std::uint8_t* p = bits + position / 8;
  const auto shift = static_cast<unsigned>(position % 8);
  const std::size_t bytes = (shift + n + 7) / 8;
  std::uint64_t word = 0;
  std::memcpy(&word, p, smaller(bytes, 8));
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  word = __builtin_bswap64(word);
#endif
  word >>= shift;
  if (bytes == 9) word |= std::uint64_t{p[8]} << (64 - shift);
  return word;
}

// Eight bytes of mask bits from `bit` on, of which the first 57 count.
inline std::uint64_t load_mask(const std::uint8_t* bits, std::size_t bit) {
  std::uint64_t word;
  std::memcpy(&word, bits + bit / 8, sizeof word);
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  word = __builtin_bswap64(word);
#endif
  return word >> (bit % 8);
}

// Copies n bits that start at bit `position`; unused bits of the last byte become 0.
inline void copy_bits(const std::uint8_t* bits, std::size_t position, std::size_t n,
                      std::uint8_t* out) {
  const std::uint8_t* p = bits + position / 8;
  const unsigned shift = static_cast<unsigned>(position % 8);
  const std::size_t bytes = (n + 7) / 8;
  if (shift == 0) {
    std::memcpy(out, p, bytes);
  } else {
    for (std::size_t i = 0; i < n; i += 64) {
      const std::size_t count = smaller(n - i, 64);
      const std::uint64_t word = load_bits(bits, position + i, count);
      for (std::size_t b = 0; b < (count + 7) / 8; ++b) {
        out[i / 8 + b] = static_cast<std::uint8_t>(word >> (8 * b));
      }
    }
  }
  if (n % 8 != 0) out[bytes - 1] &= static_cast<std::uint8_t>((1U << (n % 8)) - 1);
}

}  // namespace
}  // namespace simdrop::detail
