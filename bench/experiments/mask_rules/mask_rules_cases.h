// The candidates of mask_rules_isa.h and the library's own rules as one list, checked and timed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "experiments/mask_rules/mask_rules_isa.h"

namespace simdrop::bench {

// Draws `elements` bits from stream element `first` on, both multiples of rule_unit, and returns
// how many Philox blocks (128 bits) that took.
using DrawMask =
    std::function<std::uint64_t(std::uint64_t first, std::size_t elements, std::uint64_t* bits)>;

struct RuleCase {
  std::string rule;
  const RuleTable* table;
  double keep_prob;
  DrawMask draw;
  DrawMask many_corrections;  // for the checks: `geometric` on a base of few digits; else as draw
  std::string failure{};      // of the checks; empty: passed
  double bits_per_element = 0.0;
};

// Tables of the instruction sets that are compiled and that this CPU has; of all of them, or of the
// one that is named.
std::vector<const RuleTable*> rule_tables(const std::string& isa);

// Rule by rule, then by keep_prob, then by table.
std::vector<RuleCase> rule_cases(const std::vector<const RuleTable*>& tables,
                                 const std::vector<double>& keep_probs);

// Sets failure and bits_per_element: on 2^26 bits (of many_corrections too, where an error shows),
// the rate of kept elements, overall and at each word of 64 of blocks of 1024, must be within 5
// standard deviations; and every table must draw the bits that the first one does, in one call or
// several.
void check_cases(std::vector<RuleCase>& cases);

}  // namespace simdrop::bench
