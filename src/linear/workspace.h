// The memory behind a LinearWorkspace.
#pragma once

#include <cstddef>

#include "base/buffer.h"
#include "simdrop/linear.hpp"

namespace simdrop {

struct LinearWorkspace::State {
  detail::Buffer<std::byte> memory;
  std::size_t bytes = 0;

  // n uninitialised T, aligned to a cache line. What was there before is lost if it grows; throws
  // std::bad_alloc, and then keeps what it had.
  template <class T>
  T* reserve(std::size_t n) {
    const std::size_t wanted = detail::checked_product(n, sizeof(T));
    if (wanted > bytes) {
      memory = detail::make_buffer<std::byte>(wanted);
      bytes = wanted;
    }
    return reinterpret_cast<T*>(memory.get());
  }
};

}  // namespace simdrop
