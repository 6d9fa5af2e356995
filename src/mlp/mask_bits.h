// Copies of mask bits, LSB first.
#pragma once

#include <cstddef>
#include <cstdint>

#include "simdrop/mask.hpp"

namespace simdrop::detail {

// Bits first ... first + n - 1 of `bits` from bit 0 on; the others of the last byte are 0.
inline void extract_bits(const std::uint8_t* bits, std::size_t first, std::size_t n,
                         std::uint8_t* out) {
  const std::size_t last_byte = (first + n - 1) / 8;
  for (std::size_t i = 0; i < mask_bytes(n); ++i) {
    const std::size_t byte = first / 8 + i;
    const unsigned low = bits[byte];
    const unsigned high = byte < last_byte ? bits[byte + 1] : 0U;
    out[i] = static_cast<std::uint8_t>((high << 8 | low) >> (first % 8));
  }
  if (n % 8 != 0) out[n / 8] &= static_cast<std::uint8_t>((1U << (n % 8)) - 1U);
}

}  // namespace simdrop::detail
