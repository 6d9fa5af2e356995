// Checks of the matrices that callers hand to an Mlp.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "check.h"
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
  if (m.rows > 1 && m.ld < m.cols) {
    throw_invalid(names.ld, m.ld, ">= cols = " + std::to_string(m.cols));
  }
  check_argument(m.rows == 0 || m.data != nullptr, names.data, "null", "a valid pointer");
}

// Views of the same leading dimension may interleave: different columns of one matrix.
inline bool overlap(ConstMatrix x, ConstMatrix y) {
  if (x.size() == 0 || y.size() == 0) return false;
  const std::less<> before;
  if (before(y.data, x.data)) std::swap(x, y);
  if (!before(y.data, x.row(x.rows - 1) + x.cols)) return false;
  if (x.rows == 1 || y.rows == 1 || x.ld != y.ld) return true;
  const std::size_t col = static_cast<std::size_t>(y.data - x.data) % x.ld;
  return col < x.cols || col + y.cols > x.ld;
}

inline void check_no_overlap(const Names& names, ConstMatrix out, ConstMatrix other,
                             const char* what) {
  check_argument(!overlap(out, other), names.matrix, what, "one that does not");
}

// What predictions of x are written to.
inline void check_output(const Names& names, Matrix out, ConstMatrix x, std::size_t cols) {
  check_count(names.rows, out.rows, x.rows);
  check_matrix(names, out, cols);
  check_no_overlap(names, out, x, "a matrix that overlaps x");
}

}  // namespace simdrop::detail
