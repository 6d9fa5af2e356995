// simdrop's own rivals: the product, then the same with what a training step fuses to it.
#pragma once

#include <vector>

#include "products/products.h"

namespace simdrop::bench {

template <class T>
[[nodiscard]] std::vector<Rival<T>> simdrop_rivals(Product product, int threads);

}  // namespace simdrop::bench
