// Shared by the library and the kernels of every instruction set. Internal linkage: this header is
// compiled with the flags of several.
#pragma once

#include <cstdint>

namespace simdrop::detail {

// The threshold c_k of mask.hpp, step 3, for s_k = sum, less 2^63.
static inline std::int64_t biased_cdf(double sum) noexcept {
  if (sum >= 1.0) return INT64_MAX;
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(sum * 0x1p64) ^ (1ULL << 63));
}

}  // namespace simdrop::detail
