// What this CPU and its operating system can run.
#pragma once

#include <cstddef>
#include <string>

#include "simdrop/isa.hpp"

namespace simdrop::detail {

// True if CPUID reports every feature of `isa` and XGETBV says that the operating system saves
// its registers (Intel SDM vol. 1, 13.3; vol. 2, CPUID). On AArch64, NEON is always there.
bool cpu_supports(Isa isa) noexcept;

// Bytes of the data caches of one core, as the operating system tells them; where it does not, what
// most have.
struct CacheSizes {
  std::size_t l1, l2;
};
const CacheSizes& cache_sizes() noexcept;

}  // namespace simdrop::detail
