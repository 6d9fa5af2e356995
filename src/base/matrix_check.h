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

// The texts are built elsewhere, once: what checks stays small.
[[noreturn, gnu::cold]] void throw_rows(const char* name, std::size_t rows, std::size_t wanted,
                                        const char* what);
[[noreturn, gnu::cold]] void throw_cols(const char* name, std::size_t cols, std::size_t wanted,
                                        const char* what);
[[noreturn, gnu::cold]] void throw_shape(const char* name, const MemoryRegion& m, std::size_t rows,
                                         std::size_t cols, const char* what);
[[noreturn, gnu::cold]] void throw_beyond_memory(const char* name, const MemoryRegion& m);
[[noreturn, gnu::cold]] void throw_ld(const char* name, const MemoryRegion& m);
[[noreturn, gnu::cold]] void throw_null(const char* name);
[[noreturn, gnu::cold]] void throw_size(const char* name, std::size_t size, bool optional,
                                        std::size_t wanted, const char* what);
[[noreturn, gnu::cold]] void throw_overlap(const char* out_name, const char* in_name,
                                           bool may_be_same);

inline void check_rows(const MemoryRegion& m, const char* name, std::size_t wanted,
                       const char* what) {
  if (m.rows != wanted) throw_rows(name, m.rows, wanted, what);
}

inline void check_cols(const MemoryRegion& m, const char* name, std::size_t wanted,
                       const char* what) {
  if (m.cols != wanted) throw_cols(name, m.cols, wanted, what);
}

inline void check_shape(const MemoryRegion& m, const char* name, std::size_t rows, std::size_t cols,
                        const char* what) {
  if (m.rows != rows || m.cols != cols) throw_shape(name, m, rows, cols, what);
}

inline void check_fits_memory(const MemoryRegion& m, const char* name) {
  if (!m.fits_memory()) throw_beyond_memory(name, m);
}

// All that can be wrong with a matrix or an array by itself.
inline void check_memory(const MemoryRegion& m, const char* name) {
  check_fits_memory(m, name);
  if (m.size() == 0) return;
  if (m.rows > 1 && m.ld < m.cols) throw_ld(name, m);
  if (m.data == nullptr) throw_null(name);
}

inline void check_array(const MemoryRegion& array, const char* name, std::size_t size,
                        const char* what) {
  if (array.cols != size) throw_size(name, array.cols, false, size, what);
  check_memory(array, name);
}

// One that may be left out.
inline void check_optional_array(const MemoryRegion& array, const char* name, std::size_t size,
                                 const char* what) {
  if (array.cols != 0 && array.cols != size) throw_size(name, array.cols, true, size, what);
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
  if (overlap(out, in)) throw_overlap(out_name, in_name, false);
}

// The same, but `out` may be `in` itself: the same data and, where it matters, the same ld.
inline void check_same_or_no_overlap(const MemoryRegion& out, const char* out_name,
                                     const MemoryRegion& in, const char* in_name) {
  if (out.data == in.data && (out.rows <= 1 || out.ld == in.ld)) return;
  if (overlap(out, in)) throw_overlap(out_name, in_name, true);
}

}  // namespace simdrop::detail
