// A kernel's body over a piece of a row, element by element.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/isa/element.h"

namespace simdrop::detail {
namespace {

// y[i] = body(i, whether bit position + i is set).
template <class T, class Body>
inline void apply_masked(T* y, std::size_t n, const std::uint8_t* bits, std::size_t position,
                         bool /*streaming*/, Body body) {
  for (std::size_t i = 0; i < n; ++i) {
    const std::size_t bit = position + i;
    from_arithmetic(body.element(i, (bits[bit / 8] >> (bit % 8) & 1) != 0), y[i]);
  }
}

// y[i] = body(i).
template <class T, class Body>
inline void apply_unmasked(T* y, std::size_t n, bool /*streaming*/, Body body) {
  for (std::size_t i = 0; i < n; ++i) from_arithmetic(body.element(i), y[i]);
}

}  // namespace
}  // namespace simdrop::detail
