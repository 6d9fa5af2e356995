// The register tile of the products.
#pragma once

#include <cstddef>

#include "kernels/isa/types.h"

namespace simdrop::detail {
namespace {

// A micro-kernel's rows and vectors of columns; and how many vectors of outputs the epilogue
// finishes together, some micro-tiles and whole vectors of its transposition. As tuned on Zen 5; of
// NEON nothing has been measured.
#if defined(SIMDROP_ISA_AVX512)
constexpr std::size_t tile_mr = 14;
constexpr std::size_t tile_nv = 2;
constexpr std::size_t tile_macro_vectors = 3;
#elif defined(SIMDROP_ISA_AVX2)
constexpr std::size_t tile_mr = 6;
constexpr std::size_t tile_nv = 2;
constexpr std::size_t tile_macro_vectors = 3;
#elif defined(SIMDROP_ISA_NEON)
constexpr std::size_t tile_mr = 8;
constexpr std::size_t tile_nv = 3;
constexpr std::size_t tile_macro_vectors = 8;
#else
constexpr std::size_t tile_mr = 4;
constexpr std::size_t tile_nv = 8;
constexpr std::size_t tile_macro_vectors = 16;
#endif

template <class T>
constexpr std::size_t nr_of = tile_nv* lanes_of<T>;

// What the micro-kernel multiplies at a time of the weights of a forward product: k inputs from
// `in` on of m outputs from `out` on.
struct WeightsTile {
  std::size_t out, m, in, k;
};

}  // namespace
}  // namespace simdrop::detail
