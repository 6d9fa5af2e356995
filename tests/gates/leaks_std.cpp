// Not part of simdrop: the kernels plus one use of a std:: template, whose code is a weak symbol
// that was compiled with this instruction set's flags. The symbol gate must refuse it.
#include <algorithm>

#include "kernels/mask/mask_kernels.cpp"

namespace {
[[gnu::used]] float smallest(float a, float b) {
  return std::min(a, b);
}
}  // namespace
