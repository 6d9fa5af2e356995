// Structures that carry their size: those of older and of newer programs than this library.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string>
#include <type_traits>

#include "base/check.h"

namespace simdrop::c_api {

// The size of S in the first version that had it: no program can have a shorter one. What is added
// to S leaves it as it is.
template <class S>
inline constexpr std::size_t first_size = sizeof(S);

// No structure will be larger: a size beyond it was never set.
inline constexpr std::size_t largest_size = 4096;

inline void check_size(std::size_t size, std::size_t first, const char* name) {
  if (size >= first && size <= largest_size) return;
  detail::throw_invalid(
      std::string(name) + "->struct_size", size,
      std::to_string(first) + " (sizeof of the structure) ... " + std::to_string(largest_size));
}

// A parameter of a C function, which says NULL; of a matrix it is the C++ API that finds null data.
template <class S>
void check_not_null(const S* pointer, const char* name) {
  detail::check_argument(pointer != nullptr, name, "NULL", "a valid pointer");
}

// A structure of another size than `known`, over `result`, which holds the defaults. Compiled once
// for all structures.
[[gnu::noinline]] inline void read_other_size(void* result, const void* given, std::size_t size,
                                              std::size_t known, std::size_t first,
                                              const char* name) {
  check_size(size, first, name);
  const auto* bytes = static_cast<const unsigned char*>(given);
  for (std::size_t i = known; i < size; ++i) {
    if (bytes[i] == 0) continue;
    detail::throw_invalid(
        std::string(name) + "->struct_size", size,
        std::to_string(known) + " or less, or zeros behind that: this library knows no more");
  }
  std::memcpy(result, given, std::min(size, known));
}

// What `given` says, and `defaults` where it ends before. Not null.
template <class S>
S read_struct(const S* given, const S& defaults, const char* name) {
  static_assert(std::is_trivially_copyable_v<S> && offsetof(S, struct_size) == 0);
  check_not_null(given, name);
  if (given->struct_size == sizeof(S)) return *given;
  S result = defaults;
  read_other_size(&result, given, given->struct_size, sizeof(S), first_size<S>, name);
  result.struct_size = sizeof(S);
  return result;
}

// Fills the first `size` bytes of `out`: with `value`, and with zeros behind what is known.
template <class S>
void write_struct(S* out, std::size_t size, const S& value, const char* name) {
  static_assert(std::is_trivially_copyable_v<S> && offsetof(S, struct_size) == 0);
  check_not_null(out, name);
  check_size(size, first_size<S>, name);
  auto* bytes = reinterpret_cast<unsigned char*>(out);
  const std::size_t known = std::min(size, sizeof(S));
  std::memcpy(bytes, &value, known);
  std::memset(bytes + known, 0, size - known);
  out->struct_size = size;
}

}  // namespace simdrop::c_api
