#include <cstdio>
#include <span>
#include <vector>

#include "simdrop/simdrop.hpp"

// Written in Python: safetensors.torch.save_file(model.state_dict(), "model.safetensors"). It holds
// weights alone: what lies between the layers, and the loss, is for you to say.
simdrop::Mlp load_classifier() {
  const simdrop::LoadOptions options{.activation = simdrop::Activation::relu,
                                     .loss = simdrop::Loss::softmax_ce};
  return simdrop::load_checkpoint("model.safetensors", {.max_batch = 64}, options).mlp;
}

int main() {
  simdrop::Mlp mlp = load_classifier();
  const std::vector<float> x(mlp.config().widths.front(), 0.5F);
  std::vector<float> p(mlp.config().widths.back());
  mlp.predict(std::span<const float>(x), std::span<float>(p));
  float sum = 0.0F;
  for (const float value : p) sum += value;
  std::printf("%zu layers, the sum of p is %.3f\n", mlp.num_layers(), static_cast<double>(sum));
}
