#include <cstdint>
#include <cstdio>
#include <vector>

#include "simdrop/simdrop.hpp"

// Points of a square with the label x0 * x1 > 0; `wrong` of 16 labels are turned round.
struct Points {
  std::vector<float> x;
  std::vector<std::uint8_t> labels;

  Points(std::uint64_t seed, std::size_t count, std::uint32_t wrong) {
    std::vector<std::uint32_t> words(3 * count);
    simdrop::philox_fill({.seed = seed}, 0, words);
    for (std::size_t i = 0; i < count; ++i) {
      for (std::size_t c = 0; c < 2; ++c) {
        x.push_back(static_cast<float>(words[3 * i + c] >> 8) * 0x1p-23F - 1.0F);
      }
      const bool label = x[2 * i] * x[2 * i + 1] > 0.0F;
      labels.push_back(label != (words[3 * i + 2] % 16 < wrong) ? 1 : 0);
    }
  }
};

// Trains until the validation loss has not fallen for 50 steps; returns the best network.
simdrop::Mlp train(const Points& training, const Points& validation) {
  simdrop::Mlp mlp({.widths = {2, 64, 2}, .keep_prob = {0.8}, .seed = 1});
  simdrop::Optimizer adam({.kind = simdrop::OptimizerKind::adam}, mlp);
  const simdrop::ConstMatrix x(training.x, training.labels.size(), 2);
  const simdrop::ConstMatrix unseen(validation.x, validation.labels.size(), 2);
  std::vector<float> memory(validation.x.size());
  const simdrop::Matrix probabilities(memory, unseen.rows, 2);

  simdrop::Mlp best = mlp.clone();
  double best_loss = 100.0;
  for (int since_best = 0; since_best < 50; ++since_best) {
    mlp.train_step(x, training.labels, adam);
    mlp.predict(unseen, probabilities);
    const double loss = mlp.loss_of(probabilities, validation.labels);
    if (!(loss < best_loss)) continue;  // NaN, as of training that diverged, is no better
    best = mlp.clone();
    best_loss = loss;
    since_best = 0;
  }
  return best;
}

int main() {
  const Points validation(2, 128, 0);
  simdrop::Mlp best = train(Points(1, 128, 2), validation);
  std::vector<float> p(validation.x.size());
  best.predict(simdrop::ConstMatrix(validation.x, 128, 2), simdrop::Matrix(p, 128, 2));
  int right = 0;
  for (std::size_t i = 0; i < 128; ++i)
    right += (p[2 * i + 1] > 0.5F) == (validation.labels[i] == 1) ? 1 : 0;
  std::printf("%s\n", right > 110 ? "learned" : "not learned");
}
