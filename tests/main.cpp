// Runs the tests; says "skipped" (CTest's SKIP_RETURN_CODE) where SIMDROP_FORCE_ISA names an
// instruction set that this build has and this CPU lacks.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "simdrop/isa.hpp"
#include "threading/together.h"

namespace {

constexpr int exit_skipped = 77;

bool forced_isa_is_unsupported() {
  const char* forced = std::getenv("SIMDROP_FORCE_ISA");
  if (forced == nullptr) return false;
  for (const simdrop::IsaInfo& info : simdrop::isa_list()) {
    if (std::string_view(forced) == info.name) return info.compiled && !info.supported;
  }
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  if (forced_isa_is_unsupported()) {
    std::puts("skipped: this CPU lacks the instruction set that SIMDROP_FORCE_ISA names");
    return exit_skipped;
  }
  simdrop::detail::always_together = true;  // on two cores too, tests want teams of many threads
  return doctest::Context(argc, argv).run();
}
