// What the tests of the products share: matrices between guard pages, and the one chain over k that
// every element is, as a plain loop.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "helpers/element.h"
#include "helpers/guarded_buffer.h"
#include "kernels/kernel_table.h"
#include "reference/linear_reference.h"

namespace test {

template <class T>
const simdrop::detail::ProductKernels<T>& products_of(const simdrop::detail::KernelTable& table) {
  if constexpr (std::is_same_v<T, double>) {
    return table.products_f64;
  } else {
    return table.products_f32;
  }
}

// a(i, 0) b(j, 0) + a(i, 1) b(j, 1) + ... in order from +0: fused, but on the scalar table.
template <class T>
T chain(const simdrop::detail::KernelTable& table, const reference::LinearOperand<T>& a,
        const reference::LinearOperand<T>& b, std::size_t i, std::size_t j, std::size_t k) {
  const bool fused = table.isa != simdrop::Isa::scalar;
  T sum{0};
  for (std::size_t p = 0; p < k; ++p) {
    sum = fused ? std::fma(a(i, p), b(j, p), sum) : a(i, p) * b(j, p) + sum;
  }
  return sum;
}

// A matrix flush against a guard page; what lies between its rows must be neither read nor written.
template <class T>
class GuardedMatrix {
 public:
  static constexpr T padding_value = std::numeric_limits<T>::quiet_NaN();

  explicit GuardedMatrix(std::size_t capacity = std::size_t{1} << 17) : buffer_(capacity) {}

  // Random elements, or all `fill`.
  void place(std::size_t rows_, std::size_t cols_, std::size_t ld_, std::uint32_t seed) {
    const auto values = random_elements<T>(rows_ * cols_, seed);
    place_each(rows_, cols_, ld_, [&](std::size_t i) { return values[i]; });
  }
  void place_filled(std::size_t rows_, std::size_t cols_, std::size_t ld_, T fill) {
    place_each(rows_, cols_, ld_, [=](std::size_t) { return fill; });
  }

  [[nodiscard]] T* data() const { return memory_.data(); }
  T& operator()(std::size_t r, std::size_t c) { return memory_[r * ld + c]; }
  const T& operator()(std::size_t r, std::size_t c) const { return memory_[r * ld + c]; }
  [[nodiscard]] reference::LinearOperand<T> rows_as_operand() const {
    return {memory_.data(), ld, 1};
  }
  [[nodiscard]] reference::LinearOperand<T> cols_as_operand() const {
    return {memory_.data(), 1, ld};
  }
  [[nodiscard]] bool intact() const {
    for (std::size_t i = 0; i < memory_.size(); ++i) {
      if (i % ld >= cols && !std::isnan(memory_[i])) return false;
    }
    return buffer_.intact();
  }

  std::size_t rows = 0, cols = 0, ld = 0;

 private:
  template <class Element>
  void place_each(std::size_t rows_, std::size_t cols_, std::size_t ld_, Element element) {
    rows = rows_, cols = cols_, ld = ld_;
    const std::size_t n = rows == 0 || cols == 0 ? 0 : (rows - 1) * ld + cols;
    memory_ = buffer_.place(n, Edge::end);
    for (std::size_t i = 0; i < n; ++i) {
      memory_[i] = i % ld < cols ? element(i / ld * cols + i % ld) : padding_value;
    }
  }

  GuardedBuffer<T> buffer_;
  std::span<T> memory_;
};

// Panels of `width` columns of k elements for rows of m: what pack_rows makes of them.
template <class T>
void write_panel(const GuardedMatrix<T>& m, bool transposed, std::size_t first, std::size_t rows,
                 std::size_t width, T* panel) {
  const std::size_t k = transposed ? m.rows : m.cols;
  for (std::size_t p = 0; p < k; ++p) {
    for (std::size_t i = 0; i < width; ++i) {
      const T value = i >= rows ? T{0} : transposed ? m(p, first + i) : m(first + i, p);
      panel[p * width + i] = value;
    }
  }
}

// All rows (columns, if transposed) of m in panels of `width`.
template <class T>
std::span<T> write_panels(const GuardedMatrix<T>& m, bool transposed, std::size_t width,
                          GuardedBuffer<T>& buffer) {
  const std::size_t rows = transposed ? m.cols : m.rows;
  const std::size_t k = transposed ? m.rows : m.cols;
  const auto panels = buffer.place((rows + width - 1) / width * width * k, Edge::end);
  for (std::size_t r = 0; r < rows; r += width) {
    write_panel(m, transposed, r, std::min(width, rows - r), width, panels.data() + r * k);
  }
  return panels;
}

// As much scratch as a kernel asks for; what it has not written there must not matter.
template <class T>
std::span<T> place_scratch(const simdrop::detail::ProductKernels<T>& kernels,
                           GuardedBuffer<T>& buffer, std::size_t rows, std::size_t k,
                           std::size_t batch) {
  const auto scratch = buffer.place(kernels.scratch_size(rows, k, batch), Edge::end);
  std::ranges::fill(scratch, std::numeric_limits<T>::quiet_NaN());
  return scratch;
}

}  // namespace test
