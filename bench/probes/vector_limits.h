// What one core can do with the vectors of one instruction set: loops over
// plain data, measured by `limits` beside the kernels.
#pragma once

#include <cstddef>

#include "simdrop/isa.hpp"

namespace simdrop::bench {

// A loop on registers: run(repeats) does repeats * units of what it is named
// after.
struct OpLoop {
  double units;
  void (*run)(std::size_t repeats);
};

// Goes over arrays of n floats `repeats` times: reads a, or a and b, and writes
// y, or less. n is a multiple of 256; arrays start at cache lines.
using MemoryLoop = void (*)(const float* a, const float* b, float* y, std::size_t n,
                            std::size_t repeats);

struct IsaLimits {
  Isa isa;
  const char* name;
  std::size_t lanes_u64;      // Philox blocks to a vector
  double ops_per_half_round;  // multiplies, shifts and xors

  OpLoop mul_low32, shift_right32, bit_xor, xor3;
  OpLoop half_rounds;  // of Philox: a multiply, a shift and a three-way xor, on
                       // independent chains
  // 32-bit words of 10 and 7 rounds: half rounds and, for each four vectors,
  // store_blocks() to L1; on AVX2 that is 2 shifts, 2 blends, 2 unpacks and 2
  // stores.
  OpLoop words10, words7;

  MemoryLoop load, store, copy, read_two;
  MemoryLoop stream_store, stream_copy, stream_read_two;  // around the caches
};

// Each is defined where it is compiled; only those that are compiled may be referred to.
namespace avx2 {
const IsaLimits& vector_limits() noexcept;
}
namespace avx512 {
const IsaLimits& vector_limits() noexcept;
}
namespace neon {
const IsaLimits& vector_limits() noexcept;
}

// nullptr for the scalar one.
const IsaLimits* isa_limits(Isa isa);

}  // namespace simdrop::bench
