// What this CPU and its operating system can run.
#pragma once

#include <string>

#include "simdrop/isa.hpp"

namespace simdrop::detail {

// True if CPUID reports every feature of `isa` and XGETBV says that the operating system saves
// its registers (Intel SDM vol. 1, 13.3; vol. 2, CPUID). On AArch64, NEON is always there.
bool cpu_supports(Isa isa) noexcept;

}  // namespace simdrop::detail
