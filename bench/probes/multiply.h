// y = x * scale without dropout: a plain loop, to compare kernels with.
#pragma once

#include <cstddef>

#include "simdrop/isa.hpp"

namespace simdrop::bench {

// n is a multiple of 256.
struct MultiplyLoops {
  void (*f32)(float scale, const float* x, float* y, std::size_t n);
  void (*f64)(double scale, const double* x, double* y, std::size_t n);
};

// Each is defined where it is compiled; only those that are compiled may be referred to.
namespace avx2 {
MultiplyLoops multiply_loops() noexcept;
}
namespace avx512 {
MultiplyLoops multiply_loops() noexcept;
}
namespace neon {
MultiplyLoops multiply_loops() noexcept;
}

// On the vectors of an instruction set; scalar: as the compiler likes it.
MultiplyLoops multiply_loops(Isa isa);

}  // namespace simdrop::bench
