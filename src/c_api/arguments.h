// From the arguments of C functions to those of the C++ API, which checks the rest of them.
// Texts are built only where they are thrown: calls on small arrays are short.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

#include "base/check.h"
#include "base/matrix_check.h"
#include "c_api/structs.h"
#include "simdrop/c/random.h"
#include "simdrop/mask.hpp"
#include "simdrop/matrix.hpp"

namespace simdrop::c_api {

// A size or a count.
inline std::size_t count_of(std::int64_t value, const char* name) {
  if (value < 0) detail::throw_invalid(name, value, ">= 0");
  if constexpr (sizeof(std::ptrdiff_t) < sizeof(std::int64_t)) {
    if (value > std::numeric_limits<std::ptrdiff_t>::max()) {
      detail::throw_invalid(name, value, "what fits in memory");
    }
  }
  return static_cast<std::size_t>(value);
}

// How far a next row would be does not matter where there is none; the kernels may step there.
inline std::size_t ld_of(std::size_t rows, std::size_t cols, std::int64_t ld, const char* name) {
  const std::size_t given = count_of(ld, name);
  return rows <= 1 && given > cols ? cols : given;
}

// Matrix views of elements of type T; `const void*` makes const ones.
template <class T>
MatrixView<const T> matrix_of(const void* data, std::size_t rows, std::size_t cols, std::int64_t ld,
                              const char* ld_name) {
  return {static_cast<const T*>(data), rows, cols, ld_of(rows, cols, ld, ld_name)};
}
template <class T>
MatrixView<T> matrix_of(void* data, std::size_t rows, std::size_t cols, std::int64_t ld,
                        const char* ld_name) {
  return {static_cast<T*>(data), rows, cols, ld_of(rows, cols, ld, ld_name)};
}

// An array that must be there, unless it has no elements.
template <class T>
std::span<T> array_of(T* data, std::size_t size, const char* name) {
  const std::span<T> array(data, size);
  detail::check_fits_memory(array, name);
  if (size != 0) check_not_null(data, name);
  return array;
}

// An array that NULL leaves out.
template <class T>
std::span<T> optional_array(T* data, std::size_t size) {
  return {data, data == nullptr ? 0 : size};
}

inline constexpr simdrop_dropout dropout_defaults = {sizeof(simdrop_dropout), 1.0, 0, 0, 0,
                                                     SIMDROP_RULE_DYADIC,     10};

inline Dropout dropout_of(const simdrop_dropout* given) {
  const simdrop_dropout d = read_struct(given, dropout_defaults, "dropout");
  return {.keep_prob = d.keep_prob,
          .stream = {.seed = d.seed, .id = d.stream_id},
          .first = d.first,
          .rule = static_cast<MaskRule>(d.rule),
          .rounds = static_cast<PhiloxRounds>(d.rounds == 0 ? dropout_defaults.rounds : d.rounds)};
}

}  // namespace simdrop::c_api
