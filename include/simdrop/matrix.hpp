/// @file
/// Non-owning views of row-major data.
#pragma once

#include <cstddef>
#include <span>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

#include "simdrop/requirements.hpp"

namespace simdrop {

template <class T>
struct MatrixView;

namespace detail {

// A class with a conversion of its own to a view, which then says what its elements are.
template <class Range, class View>
concept ConvertsItself = requires(Range&& range) {
  static_cast<Range&&>(range).operator View();
}
|| requires(Range&& range) {
  static_cast<Range&&>(range).operator View&();
}
|| requires(Range&& range) {
  static_cast<Range&&>(range).operator const View&();
};

// What std::span<T> takes without a cast: a std::vector, std::array, C array, span or another
// contiguous range of such elements. One that owns its elements must outlive the view: where the
// view may write, it is no temporary.
template <class Range, class T>
concept RangeOf =
    std::is_convertible_v<Range, std::span<T>> && !ConvertsItself<Range, MatrixView<T>>;

// One whose length is that of what it stands for. What is a pointer too, as a C array, may be the
// first row of more.
template <class Range, class T>
concept WholeRangeOf = RangeOf<Range, T> && !std::is_convertible_v<Range, T*>;

[[noreturn]] inline void throw_short_range(std::size_t size, std::size_t rows, std::size_t cols) {
  throw std::invalid_argument("simdrop: range.size() is " + std::to_string(size) +
                              "; allowed: >= rows * cols = " + std::to_string(rows) + " * " +
                              std::to_string(cols));
}

template <class T, std::size_t size>
void take_span(const std::span<T, size>&);

// One that is no span itself, nor derived from one.
template <class Range, class T>
concept OwnedRangeOf = RangeOf<Range, T> && !requires(const Range& range) {
  take_span(range);
};

}  // namespace detail

/// A row-major view: element (r, c) is data[r * ld + c]. It owns nothing.
/// `ld` (the leading dimension, in elements) must be at least `cols` when rows > 1.
/// A contiguous range (std::vector, std::array, C array, std::span) converts to a view of one row,
/// so every function takes plain arrays too. A temporary that owns its elements, as a std::vector
/// does, converts to a view of const elements alone, which is valid until the end of the
/// expression.
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
  /// One row: all elements of a contiguous range. (No view is one: copies are made as ever.)
  template <detail::RangeOf<T> Range>
  constexpr MatrixView(Range&& row) {  // NOLINT(google-explicit-constructor,bugprone-*)
    const std::span<T> elements = std::forward<Range>(row);
    *this = {elements.data(), 1, elements.size()};
  }
  /// The first rows_ * cols_ elements of a contiguous range, as rows without padding. Throws
  /// std::invalid_argument if it has fewer. (A C array is a pointer here, and not checked: it may
  /// be the first row of more.)
  template <detail::WholeRangeOf<T> Range>
  constexpr MatrixView(Range&& range, std::size_t rows_, std::size_t cols_) {
    const std::span<T> elements = std::forward<Range>(range);
    if (cols_ != 0 && rows_ > elements.size() / cols_) {
      detail::throw_short_range(elements.size(), rows_, cols_);
    }
    *this = {elements.data(), rows_, cols_};
  }
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
