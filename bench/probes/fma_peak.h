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

// Each is defined where it is compiled; only those that are compiled may be referred to.
namespace avx2 {
FmaLoops fma_loops() noexcept;
}
namespace avx512 {
FmaLoops fma_loops() noexcept;
}
namespace neon {
FmaLoops fma_loops() noexcept;
}

// Those of the instruction set that simdrop runs here.
FmaLoops fma_loops();

}  // namespace simdrop::bench
