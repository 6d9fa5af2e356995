#include <cstdint>
#include <cstdio>
#include <vector>

#include "simdrop/dropout.hpp"
#include "simdrop/mlp.hpp"

int main() {
  // Dropout alone: element i is kept or not by (seed, stream id, i), whatever the CPU or threads.
  std::vector<float> x(1000, 1.0F);
  std::vector<float> y(x.size());
  const simdrop::Dropout dropout{.keep_prob = 0.8, .stream = {.seed = 1, .id = 7}};
  simdrop::dropout_forward(dropout, std::span<const float>(x), std::span<float>(y));
  simdrop::dropout_backward(dropout, std::span<const float>(x), std::span<float>(y));  // same mask

  // A network: 2 inputs, 32 hidden units of which half are dropped, 2 classes (is x0 * x1 > 0?).
  simdrop::Mlp mlp({.widths = {2, 32, 2}, .keep_prob = {0.5}, .seed = 1, .max_batch = 4});
  simdrop::Optimizer adam({.kind = simdrop::OptimizerKind::adam}, mlp.parameter_sizes());
  const std::vector<float> inputs = {1, 1, -1, -1, 1, -1, -1, 1};
  const std::vector<std::uint8_t> labels = {1, 1, 0, 0};
  const simdrop::ConstMatrix batch(inputs.data(), 4, 2);
  const simdrop::Targets targets{std::span<const std::uint8_t>(labels)};
  for (int step = 0; step < 500; ++step) mlp.train_step(batch, targets, adam);

  std::vector<float> probabilities(4 * 2);
  mlp.predict(batch, simdrop::Matrix(probabilities.data(), 4, 2));
  int right = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const bool says_one = probabilities[2 * i + 1] > 0.5F;
    right += static_cast<int>(says_one == (labels[i] == 1));
  }
  std::printf("%d of 4 right\n", right);
}
