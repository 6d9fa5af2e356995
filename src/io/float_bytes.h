// Floats as files have them: little-endian.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <span>

namespace simdrop::detail {

// In place, and its own inverse.
inline void from_little_endian(std::span<float> values) {
  if constexpr (std::endian::native == std::endian::big) {
    for (float& value : values) {
      // Through memory: a signalling NaN must not pass through a float register.
      std::uint32_t bits = 0;
      std::memcpy(&bits, &value, sizeof(bits));
      bits = __builtin_bswap32(bits);
      std::memcpy(&value, &bits, sizeof(bits));
    }
  }
}

}  // namespace simdrop::detail
