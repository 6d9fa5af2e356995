// One Philox4x32 block in plain C++ (Salmon et al., SC 2011): the specification of the vector form.
#pragma once

#include <cstdint>

namespace simdrop::detail {

inline constexpr int philox_max_rounds = 10;
inline constexpr std::uint32_t philox_m0 = 0xD2511F53U;  // multipliers
inline constexpr std::uint32_t philox_m1 = 0xCD9E8D57U;
inline constexpr std::uint32_t philox_w0 = 0x9E3779B9U;  // Weyl increments of the key
inline constexpr std::uint32_t philox_w1 = 0xBB67AE85U;

// x: the counter on entry, the random words on return. Internal linkage: this header is compiled
// with the flags of several instruction sets.
static inline void philox_block(std::uint32_t* x, std::uint32_t key0, std::uint32_t key1,
                                std::int32_t rounds) noexcept {
  for (std::int32_t round = 0; round < rounds; ++round) {
    const std::uint64_t product0 = std::uint64_t{philox_m0} * x[0];
    const std::uint64_t product1 = std::uint64_t{philox_m1} * x[2];
    x[0] = static_cast<std::uint32_t>(product1 >> 32) ^ x[1] ^ key0;
    x[1] = static_cast<std::uint32_t>(product1);
    x[2] = static_cast<std::uint32_t>(product0 >> 32) ^ x[3] ^ key1;
    x[3] = static_cast<std::uint32_t>(product0);
    key0 += philox_w0;
    key1 += philox_w1;
  }
}

}  // namespace simdrop::detail
