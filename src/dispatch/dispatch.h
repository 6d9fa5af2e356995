// Picks the kernel table once, at run time.
#pragma once

#include <stdexcept>

#include "kernels/kernel_table.h"

namespace simdrop::detail {

// What SIMDROP_FORCE_ISA asks for and cannot have.
struct UnsupportedIsa : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// The table of active_isa(); throws as that does.
const KernelTable& kernels();

// The table of one instruction set, or nullptr if it is not compiled or this CPU lacks it.
const KernelTable* kernel_table(Isa isa) noexcept;

}  // namespace simdrop::detail
