// The loops of fma_peak.h. Compiled once per instruction set, as the kernels are.
#include <utility>

#include "kernels/isa/types.h"
#include "probes/fma_peak.h"

namespace simdrop::bench {
namespace {

#if defined(SIMDROP_ISA_AVX512)
constexpr std::size_t vector_bytes = 64;
#elif defined(SIMDROP_ISA_AVX2)
constexpr std::size_t vector_bytes = 32;
#else
constexpr std::size_t vector_bytes = 16;
#endif
using VecF [[gnu::vector_size(vector_bytes)]] = float;
using VecD [[gnu::vector_size(vector_bytes)]] = double;

// One instruction, whatever a compiler would make of an expression: sum = sum * factor + factor
// (NEON: sum + factor * factor).
[[gnu::always_inline]] inline void multiply_add(VecF& sum, const VecF& factor) {
#if defined(SIMDROP_ISA_NEON)
  asm volatile("fmla %0.4s, %1.4s, %1.4s" : "+w"(sum) : "w"(factor));
#elif defined(SIMDROP_ISA_AVX512)
  asm volatile("vfmadd213ps %1, %1, %0" : "+v"(sum) : "v"(factor));
#else
  asm volatile("vfmadd213ps %1, %1, %0" : "+x"(sum) : "x"(factor));
#endif
}
[[gnu::always_inline]] inline void multiply_add(VecD& sum, const VecD& factor) {
#if defined(SIMDROP_ISA_NEON)
  asm volatile("fmla %0.2d, %1.2d, %1.2d" : "+w"(sum) : "w"(factor));
#elif defined(SIMDROP_ISA_AVX512)
  asm volatile("vfmadd213pd %1, %1, %0" : "+v"(sum) : "v"(factor));
#else
  asm volatile("vfmadd213pd %1, %1, %0" : "+x"(sum) : "x"(factor));
#endif
}

// Two units with a latency of up to five cycles (NEON: four of three); beside the factor they fit
// into 16 registers.
constexpr std::size_t chains = 12;
constexpr std::size_t steps = 8;

// Constant indices keep the chains in registers.
template <class Vec, std::size_t... C>
void run_chains(std::size_t repeats, std::index_sequence<C...>) {
  const Vec factor = Vec{} + 0.5F;
  Vec sums[] = {Vec{} + static_cast<float>(C)...};
  for (std::size_t r = 0; r < repeats; ++r) {
#pragma GCC unroll 8
    for (std::size_t s = 0; s < steps; ++s) (multiply_add(sums[C], factor), ...);
  }
}

template <class Vec>
void run_chains(std::size_t repeats) {
  run_chains<Vec>(repeats, std::make_index_sequence<chains>());
}

constexpr double flops(std::size_t element_bytes) {
  return 2.0 * static_cast<double>(chains * steps * vector_bytes / element_bytes);
}

}  // namespace

FmaLoops SIMDROP_ISA::fma_loops() noexcept {
  return {{flops(sizeof(float)), run_chains<VecF>}, {flops(sizeof(double)), run_chains<VecD>}};
}

}  // namespace simdrop::bench
