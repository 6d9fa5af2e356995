// The products of a linear layer. Compiled once for each instruction set.
#include "kernels/gemm/kept_units.h"
#include "kernels/gemm/products.h"
#include "kernels/isa/types.h"
#include "kernels/kernel_table.h"
#if defined(SIMDROP_ISA_SCALAR)
#include "kernels/gemm/few_rows_scalar.h"
#else
#include "kernels/gemm/few_rows_vector.h"
#endif

namespace simdrop::detail::SIMDROP_ISA {

GemmKernels gemm_kernels() noexcept {
  return {.compress_rows_f32 = compress_rows_f32,
          .products_f32 = product_kernels<float>(),
          .products_f64 = product_kernels<double>(),
          .few_rows_f32 = few_rows_f32};
}

}  // namespace simdrop::detail::SIMDROP_ISA
