/// @file
/// Non-owning views of row-major data.
#pragma once

#include <cstddef>
#include <span>
#include <type_traits>

namespace simdrop {

/// A row-major view: element (r, c) is data[r * ld + c]. It owns nothing.
/// `ld` (the leading dimension, in elements) must be at least `cols` when rows > 1.
/// A span converts to a view of one row, so every kernel takes plain arrays too.
template <class T>
struct MatrixView {
  T* data = nullptr;     ///< element (0, 0); may be null if there are no elements
  std::size_t rows = 0;  ///< number of rows
  std::size_t cols = 0;  ///< elements of a row
  std::size_t ld = 0;    ///< elements from the start of a row to that of the next

  /// No elements.
  constexpr MatrixView() = default;
  /// Rows that are ld_ elements apart.
  constexpr MatrixView(T* data_, std::size_t rows_, std::size_t cols_, std::size_t ld_)
      : data(data_), rows(rows_), cols(cols_), ld(ld_) {}
  /// Rows without padding.
  constexpr MatrixView(T* data_, std::size_t rows_, std::size_t cols_)
      : MatrixView(data_, rows_, cols_, cols_) {}
  /// One row.
  template <class U>
  requires std::is_convertible_v<U (*)[], T (*)[]>
  constexpr MatrixView(std::span<U> row)  // NOLINT(google-explicit-constructor)
      : MatrixView(row.data(), 1, row.size(), row.size()) {}
  /// The same elements as const ones.
  template <class U>
  requires(!std::is_same_v<U, T> && std::is_convertible_v<U (*)[], T (*)[]>) constexpr MatrixView(
      const MatrixView<U>& other)  // NOLINT(google-explicit-constructor)
      : MatrixView(other.data, other.rows, other.cols, other.ld) {}

  /// Number of elements, rows * cols (padding between rows not counted).
  [[nodiscard]] constexpr std::size_t size() const { return rows * cols; }
  /// The first element of row r, which is not checked.
  [[nodiscard]] constexpr T* row(std::size_t r) const { return data + r * ld; }
  /// Element (r, c); neither is checked.
  [[nodiscard]] constexpr T& operator()(std::size_t r, std::size_t c) const {
    return data[r * ld + c];
  }
};

/// What most functions write.
using Matrix = MatrixView<float>;
/// What most functions read.
using ConstMatrix = MatrixView<const float>;

}  // namespace simdrop
