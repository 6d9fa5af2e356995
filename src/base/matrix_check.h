// What checks need to know of the memory of an argument, whatever its type.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <utility>

#include "base/check.h"
#include "simdrop/matrix.hpp"

namespace simdrop::detail {

struct Extent {
  const void* data;
  std::size_t rows, cols, ld, element_bytes;

  template <class T>
  Extent(MatrixView<T> m)  // NOLINT(google-explicit-constructor)
      : data(m.data), rows(m.rows), cols(m.cols), ld(m.ld), element_bytes(sizeof(T)) {}
  template <class T>
  Extent(std::span<T> row)  // NOLINT(google-explicit-constructor)
      : Extent(MatrixView<T>(row)) {}
  [[nodiscard]] std::size_t size() const { return rows * cols; }
  [[nodiscard]] std::uintptr_t begin() const { return reinterpret_cast<std::uintptr_t>(data); }
  [[nodiscard]] std::uintptr_t end() const {
    return begin() + ((rows - 1) * ld + cols) * element_bytes;
  }
};

inline std::string shape_text(std::size_t rows, std::size_t cols) {
  return std::to_string(rows) + " x " + std::to_string(cols);
}

// Messages are built only when something is wrong: a call on a small array is short.
inline void check_shape(const Extent& m, const char* name, std::size_t rows, std::size_t cols,
                        const char* like) {
  if (m.rows == rows && m.cols == cols) return;
  throw_invalid(std::string(name) + " shape", shape_text(m.rows, m.cols),
                shape_text(rows, cols) + ", as " + like);
}

// Whether no offset into it overflows, of elements or of bytes.
inline bool fits_memory(const Extent& m) {
  const auto max_bytes = static_cast<std::size_t>(std::numeric_limits<std::ptrdiff_t>::max());
  const std::size_t widest = m.rows > 1 ? std::max(m.cols, m.ld) : m.cols;
  return widest == 0 || m.rows <= max_bytes / m.element_bytes / widest;
}

// All that can be wrong with a view by itself.
inline void check_view(const Extent& m, const char* name) {
  if (!fits_memory(m)) {
    throw_invalid(std::string(name) + ".rows", m.rows, "a matrix that fits in memory");
  }
  if (m.size() == 0) return;
  if (m.rows > 1 && m.ld < m.cols) {
    throw_invalid(std::string(name) + ".ld", m.ld, ">= cols = " + std::to_string(m.cols));
  }
  if (m.data == nullptr) throw_invalid(std::string(name) + ".data", "null", "a valid pointer");
}

// Whether two views have a byte in common; views of the same leading dimension may interleave, as
// different columns of one matrix do. Of views with different ones it says yes if they might.
inline bool overlap(Extent x, Extent y) {
  if (x.size() == 0 || y.size() == 0) return false;
  if (y.begin() < x.begin()) std::swap(x, y);
  if (y.begin() >= x.end()) return false;
  if (x.rows == 1) return true;
  const std::size_t row_bytes = x.ld * x.element_bytes;
  if (y.rows > 1 && y.ld * y.element_bytes != row_bytes) return true;
  const std::size_t from = (y.begin() - x.begin()) % row_bytes;
  return from < x.cols * x.element_bytes || from + y.cols * y.element_bytes > row_bytes;
}

inline void check_apart(const Extent& out, const char* out_name, const Extent& in,
                        const char* in_name) {
  if (!overlap(out, in)) return;
  throw_invalid(out_name, std::string("memory that overlaps ") + in_name, "memory that does not");
}

// The same, but `out` may be `in` itself: the same data and, where it matters, the same ld.
inline void check_in_place_or_apart(const Extent& out, const char* out_name, const Extent& in,
                                    const char* in_name) {
  if (out.data == in.data && (out.rows <= 1 || out.ld == in.ld)) return;
  if (!overlap(out, in)) return;
  throw_invalid(out_name, std::string("memory that overlaps ") + in_name,
                std::string("memory that does not, or ") + in_name + " itself with the same ld");
}

}  // namespace simdrop::detail
