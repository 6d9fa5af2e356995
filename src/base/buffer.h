// Memory of the MLP runtime.
#pragma once

#include <cstddef>
#include <limits>
#include <memory>
#include <new>
#include <type_traits>

namespace simdrop::detail {

inline constexpr std::size_t buffer_alignment = 64;

struct AlignedDelete {
  void operator()(void* data) const noexcept {
    ::operator delete (data, std::align_val_t{buffer_alignment});
  }
};

// A cache-line aligned array of uninitialised T; pages cost nothing until they are written.
template <class T>
using Buffer = std::unique_ptr<T[], AlignedDelete>;

// a * b, or std::bad_array_new_length if that overflows.
inline std::size_t checked_product(std::size_t a, std::size_t b) {
  if (b != 0 && a > std::numeric_limits<std::size_t>::max() / b) throw std::bad_array_new_length();
  return a * b;
}

template <class T>
Buffer<T> make_buffer(std::size_t n) {
  static_assert(std::is_trivial_v<T>);
  const std::size_t bytes = checked_product(n, sizeof(T));
  return Buffer<T>(static_cast<T*>(::operator new (bytes, std::align_val_t{buffer_alignment})));
}

}  // namespace simdrop::detail
