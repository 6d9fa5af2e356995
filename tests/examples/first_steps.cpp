#include <cstdint>
#include <cstdio>
#include <vector>

#include "simdrop/simdrop.hpp"

int main() {
  // Dropout alone. The mask is a function of seed, stream id and element, so it is not stored.
  std::vector<float> x(1000, 1.0F), y(1000), dx(1000);
  const simdrop::Dropout dropout{.keep_prob = 0.8, .stream = {.seed = 1, .id = 7}};
  simdrop::dropout_forward(dropout, x, y);
  simdrop::dropout_backward(dropout, y, dx);  // the same mask

  // A network that learns whether x0 * x1 > 0: half of its 32 hidden units are dropped.
  simdrop::Mlp mlp({.widths = {2, 32, 2}, .keep_prob = {0.5}, .seed = 1});
  simdrop::Optimizer adam({.kind = simdrop::OptimizerKind::adam}, mlp);
  const std::vector<float> inputs = {1, 1, -1, -1, 1, -1, -1, 1};
  const std::vector<std::uint8_t> labels = {1, 1, 0, 0};
  const simdrop::ConstMatrix batch(inputs, 4, 2);  // 4 examples of 2 features
  for (int step = 0; step < 500; ++step) mlp.train_step(batch, labels, adam);

  std::vector<float> p(8);  // the probabilities of both classes for each example
  mlp.predict(batch, simdrop::Matrix(p, 4, 2));
  int right = 0;
  for (std::size_t i = 0; i < 4; ++i) right += (p[2 * i + 1] > 0.5F) == (labels[i] == 1) ? 1 : 0;
  std::printf("%d of 4 right\n", right);
}
