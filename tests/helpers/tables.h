// Every kernel table that this build has and this CPU can run.
#pragma once

#include <doctest/doctest.h>

#include <cstdint>

#include "dispatch/dispatch.h"
#include "kernels/kernel_table.h"
#include "mask/dyadic_plan.h"
#include "reference/mask_reference.h"

namespace test {

// Calls fn(table) for each; failures name the instruction set.
template <class Fn>
void for_each_table(Fn fn) {
  for (const simdrop::IsaInfo& info : simdrop::isa_list()) {
    const simdrop::detail::KernelTable* table = simdrop::detail::kernel_table(info.isa);
    if (table == nullptr) continue;
    INFO("isa: ", info.name);
    fn(*table);
  }
}

// The plan of the dyadic rule is the library's own; test_dyadic_plan.cpp holds it against the
// oracle.
inline simdrop::detail::MaskSource mask_source(const reference::MaskSpec& spec,
                                               const std::uint8_t* bits_in = nullptr) {
  const std::uint64_t threshold = reference::threshold(spec.keep_prob);
  const bool drawn = threshold != 0 && threshold != std::uint64_t{1} << 32;
  const bool dyadic = spec.rule == reference::Rule::dyadic;
  return {spec.seed,
          spec.stream,
          spec.first,
          threshold,
          spec.rounds,
          dyadic ? 0 : 1,
          bits_in,
          drawn && dyadic ? simdrop::detail::make_dyadic_plan(threshold)
                          : simdrop::detail::DyadicPlan{}};
}

}  // namespace test
