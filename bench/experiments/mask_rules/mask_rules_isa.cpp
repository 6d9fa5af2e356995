// The rules of mask_rules_isa.h. Compiled once per instruction set, as the kernels are.
#include "experiments/mask_rules/mask_rules_isa.h"

#include "experiments/mask_rules/mask_rules_bytes.h"
#include "experiments/mask_rules/mask_rules_compact.h"
#include "experiments/mask_rules/mask_rules_digits.h"
#include "experiments/mask_rules/mask_rules_dyadic.h"
#include "experiments/mask_rules/mask_rules_geometric.h"
#include "kernels/isa/types.h"

namespace simdrop::bench {

#define SIMDROP_TEXT_OF(name) #name
#define SIMDROP_TEXT(name) SIMDROP_TEXT_OF(name)

const RuleTable& SIMDROP_ISA::rule_table() noexcept {
  static constexpr RuleTable table = {.isa = Isa::SIMDROP_ISA,
                                      .name = SIMDROP_TEXT(SIMDROP_ISA),
                                      .rules = {{{"byte_compare", draw_byte_compare},
                                                 {"digits8", draw_digits8},
                                                 {"slices_early_exit", draw_slices_early_exit},
                                                 {"slices_compact", draw_slices_compact},
                                                 {"geometric", draw_geometric},
                                                 {"dyadic_in_place", draw_dyadic_in_place}}}};
  return table;
}

}  // namespace simdrop::bench
