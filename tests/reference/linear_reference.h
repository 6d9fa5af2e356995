// The linear layer as plain sums in a wider type; shares no code with src. T is float or double, W
// is double or long double.
#pragma once

#include <cstddef>
#include <vector>

namespace reference {

// A strided matrix: element (i, p) is data[i * row_stride + p * col_stride].
template <class T>
struct LinearOperand {
  const T* data;
  std::size_t row_stride;
  std::size_t col_stride;

  const T& operator()(std::size_t i, std::size_t p) const {
    return data[i * row_stride + p * col_stride];
  }
};

template <class W>
struct LinearSum {
  W value{};
  W magnitude{};  // sum of absolute values: what rounding errors scale with
};

// Sum over p < k of a(i, p) * b(j, p).
template <class W, class T>
LinearSum<W> inner_product(const LinearOperand<T>& a, const LinearOperand<T>& b, std::size_t i,
                           std::size_t j, std::size_t k);

// All inner products of m rows of a and n rows of b, over every k up to a largest one.
template <class W>
class InnerProducts {
 public:
  template <class T>
  InnerProducts(const LinearOperand<T>& a, const LinearOperand<T>& b, std::size_t m, std::size_t n,
                std::size_t k)
      : m_(m), n_(n), sums_((k + 1) * m * n) {
    for (std::size_t p = 0; p < k; ++p) {
      for (std::size_t i = 0; i < m; ++i) {
        for (std::size_t j = 0; j < n; ++j) {
          const W product = static_cast<W>(a(i, p)) * static_cast<W>(b(j, p));
          const LinearSum<W>& sum = at(i, j, p);
          sums_[((p + 1) * m + i) * n + j] = {
              sum.value + product, sum.magnitude + (product < W{0} ? -product : product)};
        }
      }
    }
  }
  const LinearSum<W>& at(std::size_t i, std::size_t j, std::size_t k) const {
    return sums_[(k * m_ + i) * n_ + j];
  }

 private:
  std::size_t m_, n_;
  std::vector<LinearSum<W>> sums_;
};

// A kept element of y from the product, and one of dx where stored > 0, as the textbook has them.
template <class W>
LinearSum<W> linear_forward(const LinearSum<W>& product, W bias, bool relu, double keep_prob);
template <class W>
LinearSum<W> linear_backward_input(const LinearSum<W>& product, double keep_prob);
// An element of dw or db; before: what it held, 0 unless it accumulates.
template <class W>
LinearSum<W> linear_backward_weights(const LinearSum<W>& product, W alpha, W before);

}  // namespace reference
