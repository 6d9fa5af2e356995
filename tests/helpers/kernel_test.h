// All that the test of a kernel needs beside its oracle: the kernel tables of this CPU, arguments
// between guard pages, element types, comparisons.
#pragma once

#include <doctest/doctest.h>

#include <cstdint>
#include <cstdlib>

#include "dispatch/dispatch.h"
#include "helpers/compare.h"
#include "helpers/element.h"
#include "helpers/guarded_buffer.h"
#include "helpers/test_sizes.h"
#include "kernels/kernel_table.h"
#include "mask/dyadic_plan.h"
#include "reference/mask_reference.h"

namespace test {

// Calls fn(table) for each kernel table that this build has and this CPU can run, or for the one
// that SIMDROP_FORCE_ISA names; failures name the instruction set.
template <class Fn>
void for_each_table(Fn fn) {
  const bool forced = std::getenv("SIMDROP_FORCE_ISA") != nullptr;
  for (const simdrop::IsaInfo& info : simdrop::isa_list()) {
    const simdrop::detail::KernelTable* table = simdrop::detail::kernel_table(info.isa);
    if (table == nullptr || (forced && info.isa != simdrop::active_isa())) continue;
    INFO("isa: ", info.name);
    fn(*table);
  }
}

// The plan of the dyadic rule is the library's own; tests/mask/dyadic_plan.cpp holds it against the
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
