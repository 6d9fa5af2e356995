#include "reference/linear_reference.h"

#include <cmath>

namespace reference {

template <class W, class T>
LinearSum<W> inner_product(const LinearOperand<T>& a, const LinearOperand<T>& b, std::size_t i,
                           std::size_t j, std::size_t k) {
  LinearSum<W> sum;
  for (std::size_t p = 0; p < k; ++p) {
    const W product = static_cast<W>(a(i, p)) * static_cast<W>(b(j, p));
    sum.value += product;
    sum.magnitude += std::fabs(product);
  }
  return sum;
}

template <class W>
LinearSum<W> linear_forward(const LinearSum<W>& product, W bias, bool relu, double keep_prob) {
  const W z = product.value + bias;
  const W a = relu && z < W{0} ? W{0} : z;
  const W keep = static_cast<W>(keep_prob);
  return {a / keep, (product.magnitude + std::fabs(bias)) / keep};
}

template <class W>
LinearSum<W> linear_backward_input(const LinearSum<W>& product, double keep_prob) {
  const W keep = static_cast<W>(keep_prob);
  return {product.value / keep, product.magnitude / keep};
}

template <class W>
LinearSum<W> linear_backward_weights(const LinearSum<W>& product, W alpha, W before) {
  return {before + alpha * product.value, std::fabs(before) + std::fabs(alpha) * product.magnitude};
}

template LinearSum<double> inner_product(const LinearOperand<float>&, const LinearOperand<float>&,
                                         std::size_t, std::size_t, std::size_t);
template LinearSum<long double> inner_product(const LinearOperand<double>&,
                                              const LinearOperand<double>&, std::size_t,
                                              std::size_t, std::size_t);

template LinearSum<double> linear_forward(const LinearSum<double>&, double, bool, double);
template LinearSum<long double> linear_forward(const LinearSum<long double>&, long double, bool,
                                               double);
template LinearSum<double> linear_backward_input(const LinearSum<double>&, double);
template LinearSum<long double> linear_backward_input(const LinearSum<long double>&, double);
template LinearSum<double> linear_backward_weights(const LinearSum<double>&, double, double);
template LinearSum<long double> linear_backward_weights(const LinearSum<long double>&, long double,
                                                        long double);

}  // namespace reference
