// MaskRule::dyadic: from a threshold to what kernels take (mask.hpp, steps 1 and 3).
#pragma once

#include <cstdint>

#include "kernels/kernel_table.h"

namespace simdrop::detail {

// 0 < threshold < 2^32.
DyadicPlan make_dyadic_plan(std::uint64_t threshold) noexcept;

}  // namespace simdrop::detail
