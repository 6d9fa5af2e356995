// The rules of mask_rules_isa.h. Compiled once per instruction set, as src/kernels/simd.cpp is.
#include "experiments/mask_rules/mask_rules_isa.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <xsimd/xsimd.hpp>

#include "kernels/kernel_table.h"
#include "kernels/mask/philox_block.h"
#include "kernels/mask/poisson.h"

namespace simdrop::bench {
namespace {

using namespace simdrop::detail;

// As in simd.cpp: each part uses the ones before it.
// clang-format off
#include "kernels/mask/bits.h"
#include "kernels/isa/element.h"
#include "kernels/mask/poisson_scalar.h"
#include "kernels/mask/overlap.h"
#include "kernels/isa/vector.h"
#include "kernels/mask/philox.h"
#include "kernels/mask/draw.h"
#include "experiments/mask_rules/mask_rules_ties.h"
#include "experiments/mask_rules/mask_rules_bytes.h"
#include "experiments/mask_rules/mask_rules_digits.h"
#include "experiments/mask_rules/mask_rules_compact.h"
#include "experiments/mask_rules/mask_rules_geometric.h"
#include "experiments/mask_rules/mask_rules_dyadic.h"
// clang-format on

[[maybe_unused]] constexpr auto* not_measured = &philox_fill;

}  // namespace

#if defined(SIMDROP_ISA_AVX512)
#define SIMDROP_RULES_FN rule_table_avx512
#define SIMDROP_RULES_ISA Isa::avx512
#define SIMDROP_RULES_NAME "avx512"
#elif defined(SIMDROP_ISA_AVX2)
#define SIMDROP_RULES_FN rule_table_avx2
#define SIMDROP_RULES_ISA Isa::avx2
#define SIMDROP_RULES_NAME "avx2"
#else
#define SIMDROP_RULES_FN rule_table_neon
#define SIMDROP_RULES_ISA Isa::neon
#define SIMDROP_RULES_NAME "neon"
#endif

const RuleTable& SIMDROP_RULES_FN() noexcept {
  static constexpr RuleTable table = {.isa = SIMDROP_RULES_ISA,
                                      .name = SIMDROP_RULES_NAME,
                                      .rules = {{{"byte_compare", draw_byte_compare},
                                                 {"digits8", draw_digits8},
                                                 {"slices_early_exit", draw_slices_early_exit},
                                                 {"slices_compact", draw_slices_compact},
                                                 {"geometric", draw_geometric},
                                                 {"dyadic_in_place", draw_dyadic_in_place}}}};
  return table;
}

}  // namespace simdrop::bench
