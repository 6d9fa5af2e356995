// Checks of the matrices and arrays that callers hand over. The same fault has the same message in
// every function of the library: NAME is what the documentation calls the argument, WHAT says where
// the size that is wanted comes from.
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

// The memory of a matrix or an array, whatever the type of its elements.
struct MemoryRegion {
  const void* data;
  std::size_t rows, cols, ld, element_bytes;
  bool is_array;

  template <class T>
  MemoryRegion(MatrixView<T> m)  // NOLINT(google-explicit-constructor)
      : data(m.data),
        rows(m.rows),
        cols(m.cols),
        ld(m.ld),
        element_bytes(sizeof(T)),
        is_array(false) {}
  template <class T>
  MemoryRegion(std::span<T> array)  // NOLINT(google-explicit-constructor)
      : data(array.data()),
        rows(1),
        cols(array.size()),
        ld(array.size()),
        element_bytes(sizeof(T)),
        is_array(true) {}
  [[nodiscard]] std::size_t size() const { return rows * cols; }
  [[nodiscard]] std::uintptr_t begin() const { return reinterpret_cast<std::uintptr_t>(data); }
  [[nodiscard]] std::uintptr_t end() const {
    return begin() + ((rows - 1) * ld + cols) * element_bytes;
  }
  // Whether no offset into it overflows, of elements or of bytes.
  [[nodiscard]] bool fits_memory() const {
    const auto max_bytes = static_cast<std::size_t>(std::numeric_limits<std::ptrdiff_t>::max());
    const std::size_t widest = rows > 1 ? std::max(cols, ld) : cols;
    return widest == 0 || rows <= max_bytes / element_bytes / widest;
  }
};

// NAME is VALUE; allowed: WHAT = WANTED.
[[noreturn]] inline void throw_size(const std::string& name, std::size_t value,
                                    const std::string& what, std::size_t wanted) {
  throw_invalid(name, value, what + " = " + std::to_string(wanted));
}

inline void check_rows(const MemoryRegion& m, const char* name, std::size_t wanted,
                       const char* what) {
  if (m.rows != wanted) throw_size(std::string(name) + ".rows", m.rows, what, wanted);
}

inline void check_cols(const MemoryRegion& m, const char* name, std::size_t wanted,
                       const char* what) {
  if (m.cols != wanted) throw_size(std::string(name) + ".cols", m.cols, what, wanted);
}

inline std::string shape_text(std::size_t rows, std::size_t cols) {
  return std::to_string(rows) + " x " + std::to_string(cols);
}

inline void check_shape(const MemoryRegion& m, const char* name, std::size_t rows, std::size_t cols,
                        const char* what) {
  if (m.rows == rows && m.cols == cols) return;
  throw_invalid(std::string(name) + " shape", shape_text(m.rows, m.cols),
                shape_text(rows, cols) + ", as " + what);
}

inline void check_fits_memory(const MemoryRegion& m, const char* name) {
  if (m.fits_memory()) return;
  if (m.is_array) {
    throw_invalid(std::string(name) + ".size()", m.cols, "an array that fits in memory");
  }
  throw_invalid(std::string(name) + ".rows", m.rows, "a matrix that fits in memory");
}

// All that can be wrong with a matrix or an array by itself.
inline void check_memory(const MemoryRegion& m, const char* name) {
  check_fits_memory(m, name);
  if (m.size() == 0) return;
  if (m.rows > 1 && m.ld < m.cols) throw_size(std::string(name) + ".ld", m.ld, ">= cols", m.cols);
  if (m.data == nullptr) throw_invalid(std::string(name) + ".data", "null", "a valid pointer");
}

inline void check_array(const MemoryRegion& array, const char* name, std::size_t size,
                        const char* what) {
  if (array.cols != size) throw_size(std::string(name) + ".size()", array.cols, what, size);
  check_memory(array, name);
}

// One that may be left out.
inline void check_optional_array(const MemoryRegion& array, const char* name, std::size_t size,
                                 const char* what) {
  if (array.cols != 0 && array.cols != size) {
    throw_size(std::string(name) + ".size()", array.cols, std::string("0 or ") + what, size);
  }
  check_memory(array, name);
}

// Whether two regions have a byte in common; those of the same leading dimension may interleave, as
// different columns of one matrix do. Of regions with different ones it says yes if they might.
inline bool overlap(MemoryRegion x, MemoryRegion y) {
  if (x.size() == 0 || y.size() == 0) return false;
  if (y.begin() < x.begin()) std::swap(x, y);
  if (y.begin() >= x.end()) return false;
  if (x.rows == 1) return true;
  const std::size_t row_bytes = x.ld * x.element_bytes;
  if (y.rows > 1 && y.ld * y.element_bytes != row_bytes) return true;
  const std::size_t from = (y.begin() - x.begin()) % row_bytes;
  return from < x.cols * x.element_bytes || from + y.cols * y.element_bytes > row_bytes;
}

inline void check_no_overlap(const MemoryRegion& out, const char* out_name, const MemoryRegion& in,
                             const char* in_name) {
  if (!overlap(out, in)) return;
  throw_invalid(out_name, std::string("memory that overlaps ") + in_name, "memory that does not");
}

// The same, but `out` may be `in` itself: the same data and, where it matters, the same ld.
inline void check_same_or_no_overlap(const MemoryRegion& out, const char* out_name,
                                     const MemoryRegion& in, const char* in_name) {
  if (out.data == in.data && (out.rows <= 1 || out.ld == in.ld)) return;
  if (!overlap(out, in)) return;
  throw_invalid(out_name, std::string("memory that overlaps ") + in_name,
                std::string("memory that does not, or ") + in_name + " itself with the same ld");
}

}  // namespace simdrop::detail
