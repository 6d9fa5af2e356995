// The packing of panels for the micro-kernel.
#pragma once

#include <cstddef>

#include "kernels/gemm/tile.h"
#include "kernels/isa/isa.h"

namespace simdrop::detail {
namespace {

// Panels of pack_cols: rows of the source are copied as they are, whole ones at once, others a
// vector of each at a time.
template <class T>
void pack_cols(std::size_t rows, std::size_t k, const T* src, std::size_t ld, std::size_t width,
               T* panel) {
  constexpr std::size_t lanes = lanes_of<T>;
  if (rows == nr_of<T> && width == nr_of<T>) {
    for (std::size_t p = 0; p < k; ++p, src += ld, panel += nr_of<T>) {
#pragma GCC unroll 8
      for (std::size_t i = 0; i < nr_of<T>; i += lanes) store(panel + i, load(src + i));
    }
    return;
  }
  for (std::size_t i = 0; i < rows; i += lanes) {
    const std::size_t from = smaller(lanes, rows - i);
    const std::size_t to = smaller(lanes, width - i);
    for (std::size_t p = 0; p < k; ++p) {
      store_first(panel + p * width + i, load_first(src + p * ld + i, from), to);
    }
  }
}

// `lanes` rows (those beyond `rows` are +0) of n <= lanes elements, transposed into columns.
template <class T>
inline void load_transposed(std::size_t rows, std::size_t n, const T* src, std::size_t ld,
                            VecOf<T>* columns) {
  constexpr std::size_t lanes = lanes_of<T>;
  if (rows >= lanes && n == lanes) {
#pragma GCC unroll 16
    for (std::size_t i = 0; i < lanes; ++i) columns[i] = load(src + i * ld);
  } else {
    for (std::size_t i = 0; i < lanes; ++i) {
      columns[i] = i < rows ? load_first(src + i * ld, n) : VecOf<T>(T{0});
    }
  }
  transpose(columns);
}

// n columns of a panel, an element at a time: cheaper where a transposition would be nearly empty.
template <class T>
inline void pack_few(std::size_t rows, std::size_t n, const T* src, std::size_t ld,
                     std::size_t width, T* panel) {
  const std::size_t inside = smaller(rows, width);
  for (std::size_t q = 0; q < n; ++q, ++src, panel += width) {
    if (ld == 1) {
      pack_cols(inside, 1, src, 1, width, panel);
    } else {
      for (std::size_t i = 0; i < inside; ++i) panel[i] = src[i * ld];
    }
    for (std::size_t i = inside; i < width && i % lanes_of<T> != 0; ++i) panel[i] = T{0};
  }
}

// Panels of pack_rows: blocks of lanes x lanes are transposed in registers.
template <class T>
void pack_rows(std::size_t rows, std::size_t k, const T* src, std::size_t ld, std::size_t width,
               T* panel) {
  constexpr std::size_t lanes = lanes_of<T>;
  for (std::size_t p = 0; p < k; p += lanes) {
    const std::size_t n = smaller(lanes, k - p);
    if (n <= lanes / 4) {
      pack_few(rows, n, src + p, ld, width, panel + p * width);
      return;
    }
    for (std::size_t i = 0; i < rows; i += lanes) {
      VecOf<T> columns[lanes];
      load_transposed(rows - i, n, src + i * ld + p, ld, columns);
      const std::size_t wide = smaller(lanes, width - i);
      T* out = panel + p * width + i;
      if (wide == lanes && n == lanes) {
#pragma GCC unroll 16
        for (std::size_t q = 0; q < lanes; ++q) store(out + q * width, columns[q]);
      } else {
        for (std::size_t q = 0; q < n; ++q) store_first(out + q * width, columns[q], wide);
      }
    }
  }
}

}  // namespace
}  // namespace simdrop::detail
