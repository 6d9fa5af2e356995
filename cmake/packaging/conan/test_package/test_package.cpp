#include <cstdio>
#include <span>
#include <vector>

#include "simdrop/dropout.hpp"

int main() {
  std::vector<float> x(1000, 1.0F);
  simdrop::dropout_forward({.keep_prob = 0.5, .stream = {.seed = 1}}, std::span<const float>(x),
                           std::span<float>(x));
  int kept = 0;
  for (const float value : x) kept += static_cast<int>(value == 2.0F);
  std::printf("%d of 1000 kept\n", kept);
  return kept > 400 && kept < 600 ? 0 : 1;
}
