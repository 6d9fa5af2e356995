#include <cstdint>
#include <cstdio>
#include <vector>

#include "simdrop/simdrop.hpp"

// Two dropout layers that get a new mask in each step. A mask is a function of (seed, stream id,
// element, keep_prob): each layer and step needs a stream id of its own. To drop the same elements
// again, in the backward pass, use the same Dropout again.
simdrop::Dropout dropout_of(std::uint64_t step, std::uint64_t layer) {
  return {.keep_prob = 0.8, .stream = {.seed = 1, .id = 2 * step + layer}};
}

int main() {
  const std::vector<float> x(1000, 1.0F);
  std::vector<float> y(1000), dx(1000);
  for (std::uint64_t step = 0; step < 2; ++step) {
    int kept[2] = {0, 0};
    for (std::uint64_t layer = 0; layer < 2; ++layer) {
      simdrop::dropout_forward(dropout_of(step, layer), x, y);
      simdrop::dropout_backward(dropout_of(step, layer), x, dx);  // the mask of the forward pass
      for (std::size_t i = 0; i < x.size(); ++i) kept[layer] += y[i] > 0 && dx[i] > 0 ? 1 : 0;
    }
    std::printf("step %d: %d and %d of 1000 kept\n", static_cast<int>(step), kept[0], kept[1]);
  }
}
