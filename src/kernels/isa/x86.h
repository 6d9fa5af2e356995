// Four floats at a time, the sums that a row of the product of few rows ends in: of AVX2 and
// AVX-512 alike.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/isa/types.h"
#include "kernels/isa/vector.h"

namespace simdrop::detail {
namespace {

// The first n lanes of four all ones, 0 <= n <= 4: a window that slides over the edge.
inline __m128i quad_mask(std::size_t n) {
  static constexpr std::int32_t edge[8] = {-1, -1, -1, -1, 0, 0, 0, 0};
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(edge + 4 - n));
}
// Reads, or writes, n of four floats; the others are +0.
inline Quad load_quad(const float* p, std::size_t n) {
  return _mm_maskload_ps(p, quad_mask(n));
}
inline void store_quad(float* p, Quad v, std::size_t n) {
  if (n == 4) {
    _mm_storeu_ps(p, v);
  } else {
    _mm_maskstore_ps(p, quad_mask(n), v);
  }
}
inline Quad add(Quad a, Quad b) {
  return _mm_add_ps(a, b);
}
// not v <= 0 ? v : +0, as relu_times().
inline Quad relu(Quad v) {
  return _mm_add_ps(_mm_max_ps(_mm_setzero_ps(), v), _mm_setzero_ps());
}

}  // namespace
}  // namespace simdrop::detail
