// The elementwise kernels over a piece of a row, in plain C++.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/isa/element.h"

namespace simdrop::detail {
namespace {

inline bool bit_at(const std::uint8_t* bits, std::size_t i) {
  return (bits[i / 8] >> (i % 8) & 1) != 0;
}

template <class T, class A>
inline void apply_dropout(A scale, const T* x, T* y, std::size_t n, const std::uint8_t* bits,
                          std::size_t position, bool /*streaming*/) {
  for (std::size_t i = 0; i < n; ++i) {
    from_arithmetic(bit_at(bits, position + i) ? to_arithmetic(x[i]) * scale : A{0}, y[i]);
  }
}

template <bool HasBias, class T, class A>
inline void apply_relu_dropout(A scale, const T* x, const T* bias, T* y, std::size_t n,
                               const std::uint8_t* bits, std::size_t position, bool /*streaming*/) {
  for (std::size_t i = 0; i < n; ++i) {
    A z = to_arithmetic(x[i]);
    if constexpr (HasBias) z = z + to_arithmetic(bias[i]);
    from_arithmetic(bit_at(bits, position + i) && !(z <= 0) ? z * scale : A{0}, y[i]);
  }
}

template <class T, class A>
inline void apply_relu_backward(A scale, const T* y, const T* dy, T* dx, std::size_t n,
                                bool /*streaming*/) {
  for (std::size_t i = 0; i < n; ++i) {
    from_arithmetic(to_arithmetic(y[i]) > 0 ? to_arithmetic(dy[i]) * scale : A{0}, dx[i]);
  }
}

}  // namespace
}  // namespace simdrop::detail
