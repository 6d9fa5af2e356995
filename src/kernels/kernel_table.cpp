// The kernels of one instruction set, gathered from the operations. Compiled once for each.
#include "kernels/kernel_table.h"

#include "kernels/isa/types.h"

#define SIMDROP_TEXT_OF(name) #name
#define SIMDROP_TEXT(name) SIMDROP_TEXT_OF(name)

namespace simdrop::detail::SIMDROP_ISA {

const KernelTable& kernel_table() noexcept {
  static const KernelTable table = {mask_kernels(),           dropout_kernels(),   gemm_kernels(),
                                    loss_kernels(),           optimizer_kernels(), Isa::SIMDROP_ISA,
                                    SIMDROP_TEXT(SIMDROP_ISA)};
  return table;
}

}  // namespace simdrop::detail::SIMDROP_ISA
