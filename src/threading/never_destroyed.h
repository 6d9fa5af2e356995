// Objects of the library that threads may use until the process is gone.
#pragma once

#include <cstddef>
#include <new>
#include <utility>

namespace simdrop::detail {

// The one T there is, made in the first call; its destructor never runs. T's constructor must not
// throw.
template <class T, class... Arguments>
T& never_destroyed(Arguments&&... arguments) noexcept {
  alignas(T) static std::byte memory[sizeof(T)];
  static T* const object = new (memory) T(std::forward<Arguments>(arguments)...);
  return *object;
}

}  // namespace simdrop::detail
