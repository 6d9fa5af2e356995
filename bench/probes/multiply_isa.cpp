// The loops of multiply.h. Compiled once per instruction set, as the kernels are.
#include "probes/multiply.h"

#include "kernels/isa/types.h"

namespace simdrop::bench {
namespace {

#if defined(SIMDROP_ISA_AVX512)
constexpr std::size_t vector_bytes = 64;
#elif defined(SIMDROP_ISA_AVX2)
constexpr std::size_t vector_bytes = 32;
#else
constexpr std::size_t vector_bytes = 16;
#endif

// Arrays start anywhere.
using VecF [[gnu::vector_size(vector_bytes), gnu::aligned(4), gnu::may_alias]] = float;
using VecD [[gnu::vector_size(vector_bytes), gnu::aligned(8), gnu::may_alias]] = double;

constexpr std::size_t vectors = 4;  // to an iteration

template <class Vec, class T>
void multiply(T scale, const T* x, T* y, std::size_t n) {
  constexpr std::size_t lanes = vector_bytes / sizeof(T);
  for (std::size_t i = 0; i < n; i += vectors * lanes) {
#pragma GCC unroll 4
    for (std::size_t v = 0; v < vectors; ++v) {
      const std::size_t at = i + v * lanes;
      *reinterpret_cast<Vec*>(y + at) = *reinterpret_cast<const Vec*>(x + at) * scale;
    }
  }
}

}  // namespace

MultiplyLoops SIMDROP_ISA::multiply_loops() noexcept {
  return {multiply<VecF, float>, multiply<VecD, double>};
}

}  // namespace simdrop::bench
