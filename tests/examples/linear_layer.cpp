#include <cstdio>
#include <vector>

#include "simdrop/simdrop.hpp"

int main() {
  // A layer of 3 inputs and 2 outputs, on a batch of 2 examples. Keep the workspace for more calls.
  const std::vector<float> x = {1, 2, 3, 4, 5, 6}, weights = {1, 0, -1, 1, 1, 1}, bias = {0, 1};
  std::vector<float> y(4), dx(6), dw(6), db(2);
  simdrop::LinearWorkspace workspace;
  const simdrop::ConstMatrix in(x, 2, 3), w(weights, 2, 3);
  const simdrop::Dropout dropout{.keep_prob = 1.0};
  simdrop::linear_forward(
      in, w, simdrop::Matrix(y, 2, 2), workspace,
      {.bias = bias, .activation = simdrop::Activation::relu, .dropout = dropout});

  // Its gradients, from dy: here, as if the loss were the sum of squares of y, halved.
  const simdrop::ConstMatrix dy(y, 2, 2);
  simdrop::linear_backward_input(dy, w, simdrop::Matrix(dx, 2, 3), workspace);
  simdrop::linear_backward_weights(dy, in, simdrop::Matrix(dw, 2, 3), workspace, {.db = db});
  std::printf("y %g %g %g %g, dx %g, dw %g, db %g\n", y[0], y[1], y[2], y[3], dx[0], dw[5], db[1]);
}
