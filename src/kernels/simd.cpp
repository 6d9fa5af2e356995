// The vector kernels. Compiled once per instruction set, with its flags, SIMDROP_ISA_<NAME> and
// the namespace xsimd renamed (see cmake/isa.cmake). Everything but the table has internal linkage.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <xsimd/xsimd.hpp>

#include "kernel_table.h"
#include "kernels/hit_law.h"
#include "kernels/philox_scalar.h"

namespace simdrop::detail {
namespace {

// The order matters: each part uses the ones before it.
// clang-format off
#include "kernels/bits.h"
#include "kernels/float16_scalar.h"
#include "kernels/hits_scalar.h"
#include "kernels/side_work.h"
#include "kernels/xsimd_compat.h"
#include "kernels/philox_simd.h"
#include "kernels/mask_simd.h"
#include "kernels/elementwise_simd.h"
#include "kernels/traverse.h"
#include "kernels/linear_small_simd.h"
#include "kernels/loss_simd.h"
#include "kernels/optimizer_scalar.h"
#include "kernels/optimizer_simd.h"
#include "kernels/optimizer_rows.h"
#include "kernels/optimizer_tiles.h"
#include "kernels/product_micro.h"
#include "kernels/product_pack.h"
#include "kernels/product_kept.h"
#include "kernels/product_epilogue.h"
#include "kernels/product.h"
// clang-format on

}  // namespace

#if defined(SIMDROP_ISA_AVX512)
#define SIMDROP_TABLE_FN kernel_table_avx512
#define SIMDROP_TABLE_ISA Isa::avx512
#define SIMDROP_TABLE_NAME "avx512"
#elif defined(SIMDROP_ISA_AVX2)
#define SIMDROP_TABLE_FN kernel_table_avx2
#define SIMDROP_TABLE_ISA Isa::avx2
#define SIMDROP_TABLE_NAME "avx2"
#else
#define SIMDROP_TABLE_FN kernel_table_neon
#define SIMDROP_TABLE_ISA Isa::neon
#define SIMDROP_TABLE_NAME "neon"
#endif
#include "kernels/define_table.h"

}  // namespace simdrop::detail
