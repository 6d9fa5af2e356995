// Checks of the matrices that callers hand to an Mlp.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/matrix_check.h"
#include "simdrop/matrix.hpp"

namespace simdrop::detail {

// Texts that need memory are built only where they are thrown: a step allocates nothing.
inline void check_count(std::string_view name, std::size_t value, std::size_t wanted) {
  if (value != wanted) throw_invalid(name, value, std::to_string(wanted));
}

// How errors name a matrix and its parts.
struct Names {
  const char *matrix, *rows, *cols, *ld, *data;
};
inline void check_matrix(const Names& names, ConstMatrix m, std::size_t cols) {
  check_count(names.cols, m.cols, cols);
  check_argument(fits_memory(m), names.rows, m.rows, "a matrix that fits in memory");
  if (m.rows > 1 && m.ld < m.cols) {
    throw_invalid(names.ld, m.ld, ">= cols = " + std::to_string(m.cols));
  }
  check_argument(m.rows == 0 || m.data != nullptr, names.data, "null", "a valid pointer");
}

// What predictions of x are written to.
inline void check_output(const Names& names, Matrix out, ConstMatrix x, std::size_t cols) {
  check_count(names.rows, out.rows, x.rows);
  check_matrix(names, out, cols);
  check_apart(out, names.matrix, x, "x");
}

}  // namespace simdrop::detail
