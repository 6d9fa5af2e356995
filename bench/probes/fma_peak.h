// The most that a core's multiply-add units do: independent chains on registers.
#pragma once

#include <cstddef>

namespace simdrop::bench {

// run(repeats) does repeats * flops floating-point operations.
struct FmaLoop {
  double flops;
  void (*run)(std::size_t repeats);
};

struct FmaLoops {
  FmaLoop f32, f64;
};

// Defined by one translation unit each; only those that are compiled may be referred to.
FmaLoops fma_loops_avx2() noexcept;
FmaLoops fma_loops_avx512() noexcept;
FmaLoops fma_loops_neon() noexcept;

// Those of the instruction set that simdrop runs here.
FmaLoops fma_loops();

}  // namespace simdrop::bench
