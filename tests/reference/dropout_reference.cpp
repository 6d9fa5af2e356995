#include "reference/dropout_reference.h"

namespace reference {

template <class W>
W dropout(W x, bool kept, double keep_prob) {
  return kept ? x / static_cast<W>(keep_prob) : W{0};
}

template <class W>
W bias_relu_dropout(W x, W bias, bool kept, double keep_prob) {
  const W z = x + bias;
  const W relu = z > W{0} ? z : W{0};
  return dropout(relu, kept, keep_prob);
}

template <class W>
W relu_dropout_backward(W z, bool kept, W dy, double keep_prob) {
  const W relu_slope = z > W{0} ? W{1} : W{0};
  return dropout(dy, kept, keep_prob) * relu_slope;
}

template <class A>
A scale_of(double keep_prob) {
  return static_cast<A>(1.0 / keep_prob);
}

template <class A>
A dropout_as_documented(A x, bool kept, A scale) {
  return kept ? x * scale : A{0};
}

template <class A>
A residual_dropout_as_documented(A residual, A x, bool kept, A scale) {
  return residual + dropout_as_documented(x, kept, scale);
}

template <class A>
A bias_relu_dropout_as_documented(A x, A bias, bool kept, A scale) {
  const A z = x + bias;
  if (!kept || z <= A{0}) return A{0};
  return z * scale;
}

template <class A>
A relu_dropout_backward_as_documented(A y, A dy, A scale) {
  return y > A{0} ? dy * scale : A{0};
}

template double dropout(double, bool, double);
template long double dropout(long double, bool, double);
template double bias_relu_dropout(double, double, bool, double);
template long double bias_relu_dropout(long double, long double, bool, double);
template double relu_dropout_backward(double, bool, double, double);
template long double relu_dropout_backward(long double, bool, long double, double);

template float scale_of(double);
template double scale_of(double);
template float dropout_as_documented(float, bool, float);
template double dropout_as_documented(double, bool, double);
template float residual_dropout_as_documented(float, float, bool, float);
template double residual_dropout_as_documented(double, double, bool, double);
template float bias_relu_dropout_as_documented(float, float, bool, float);
template double bias_relu_dropout_as_documented(double, double, bool, double);
template float relu_dropout_backward_as_documented(float, float, float);
template double relu_dropout_backward_as_documented(double, double, double);

}  // namespace reference
