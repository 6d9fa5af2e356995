// The vector kernels. Compiled once per instruction set, with its flags, SIMDROP_ISA_<NAME> and
// the namespace xsimd renamed (see cmake/isa.cmake). Everything but the table has internal linkage.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <xsimd/xsimd.hpp>

#include "kernels/kernel_table.h"
#include "kernels/mask/philox_block.h"
#include "kernels/mask/poisson.h"

namespace simdrop::detail {
namespace {

// The order matters: each part uses the ones before it.
// clang-format off
#include "kernels/mask/bits.h"
#include "kernels/isa/element.h"
#include "kernels/mask/poisson_scalar.h"
#include "kernels/mask/overlap.h"
#include "kernels/isa/vector.h"
#include "kernels/mask/philox.h"
#include "kernels/mask/draw.h"
#include "kernels/dropout/apply.h"
#include "kernels/dropout/rows.h"
#include "kernels/gemm/few_rows.h"
#include "kernels/loss/loss.h"
#include "kernels/optimizer/update_scalar.h"
#include "kernels/optimizer/update.h"
#include "kernels/optimizer/rows.h"
#include "kernels/optimizer/tiles.h"
#include "kernels/gemm/micro.h"
#include "kernels/gemm/pack.h"
#include "kernels/gemm/kept_units.h"
#include "kernels/gemm/epilogue.h"
#include "kernels/gemm/products.h"
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
