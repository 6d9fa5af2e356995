// What the products keep in their scratch memory.
#pragma once

#include <cstddef>

#include "kernels/gemm/micro.h"
#include "kernels/gemm/tile.h"
#include "kernels/isa/isa.h"

namespace simdrop::detail {
namespace {

// Rows of a macro-tile: outputs that are finished together.
template <class T>
constexpr std::size_t macro_rows = tile_macro_vectors* lanes_of<T>;

template <class T>
constexpr std::size_t round_up_to(std::size_t n, std::size_t multiple) {
  return (n + multiple - 1) / multiple * multiple;
}

// The leading dimension of gradients, and what the sums of a bias take.
template <class T>
constexpr std::size_t gradient_ld(std::size_t ins) {
  return round_up_to<T>(ins, nr_of<T>) + 64 / sizeof(T);
}
template <class T>
constexpr std::size_t bias_sums_size = round_up_to<T>(tile_mr, lanes_of<T>) + lanes_of<T>;

template <class T>
std::size_t scratch_size(std::size_t rows, std::size_t cols, std::size_t batch) {
  const std::size_t forward =
      macro_rows<T> * round_up_to<T>(rows, nr_of<T>) + tile_mr * row_stride<T>;
  const std::size_t input = (rows + smaller(cols, kc)) * nr_of<T>;
  const std::size_t weights = tile_mr * gradient_ld<T>(cols) + bias_sums_size<T> + batch * tile_mr;
  const std::size_t most = forward > input ? forward : input;
  return round_up_to<T>(most > weights ? most : weights, 64 / sizeof(T));
}

}  // namespace
}  // namespace simdrop::detail
