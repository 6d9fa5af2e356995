// Every kernel table that this build has and this CPU can run.
#pragma once

#include <doctest/doctest.h>

#include <cstdint>

#include "dispatch.h"
#include "kernel_table.h"
#include "mask_reference.h"

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

inline simdrop::detail::MaskSource mask_source(const reference::MaskSpec& spec,
                                               const std::uint8_t* bits_in = nullptr) {
  return {spec.seed,   spec.stream,
          spec.first,  reference::threshold(spec.keep_prob),
          spec.rounds, spec.rule == reference::Rule::digits ? 0 : 1,
          bits_in};
}

}  // namespace test
