// A program that uses simdrop as its users do: it drops, trains, saves nothing, and checks what it
// got. Shared by the projects beside it.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <span>
#include <stdexcept>
#include <vector>

#include "simdrop/dropout.hpp"
#include "simdrop/mlp.hpp"
#include "simdrop/optimizer.hpp"

namespace {

// Every element is x / keep_prob or 0, and about keep_prob of them are kept.
bool drops() {
  const std::vector<float> x(10000, 2.0F);
  std::vector<float> y(x.size(), -1.0F);
  const simdrop::Dropout dropout{.keep_prob = 0.5, .stream = {.seed = 3, .id = 1}};
  simdrop::dropout_forward(dropout, std::span<const float>(x), std::span<float>(y), {}, 2);
  std::size_t kept = 0;
  for (const float value : y) {
    if (value == 4.0F) {
      ++kept;
    } else if (value != 0.0F || std::signbit(value)) {
      return false;
    }
  }
  // Mean 5000 and standard deviation 50; the stream is fixed, so this is no game of chance.
  return kept > 4700 && kept < 5300;
}

// The exclusive or of two inputs, which no network without a hidden layer learns.
bool learns() {
  simdrop::Mlp mlp({.widths = {2, 32, 2}, .keep_prob = {0.5}, .seed = 1, .max_batch = 4});
  simdrop::Optimizer adam({.kind = simdrop::OptimizerKind::adam}, mlp.parameter_sizes());
  const std::vector<float> inputs = {1, 1, -1, -1, 1, -1, -1, 1};
  const std::vector<std::uint8_t> labels = {1, 1, 0, 0};
  const simdrop::ConstMatrix batch(inputs.data(), 4, 2);
  const simdrop::Targets targets{std::span<const std::uint8_t>(labels)};
  for (int step = 0; step < 500; ++step) mlp.train_step(batch, targets, adam);
  std::vector<float> probabilities(8);
  mlp.predict(batch, simdrop::Matrix(probabilities.data(), 4, 2));
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (!(probabilities[2 * i + labels[i]] > 0.5F)) return false;
  }
  return true;
}

// Exceptions reach the program as the types that the headers name.
bool throws() {
  std::vector<float> x(8, 1.0F);
  try {
    simdrop::dropout_forward({.keep_prob = 1.5, .stream = {}}, std::span<const float>(x),
                             std::span<float>(x));
  } catch (const std::invalid_argument&) {
    return x == std::vector<float>(8, 1.0F);
  }
  return false;
}

}  // namespace

int main() {
  const bool dropped = drops();
  const bool learned = learns();
  const bool threw = throws();
  std::printf("drops: %d, learns: %d, throws: %d\n", dropped, learned, threw);
  return dropped && learned && threw ? 0 : 1;
}
