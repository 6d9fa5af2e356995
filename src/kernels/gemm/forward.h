// The forward product: outputs x examples, of which finished ones are transposed on their way out.
#pragma once

#include <cstddef>

#include "kernels/gemm/epilogue.h"
#include "kernels/gemm/kept_units.h"
#include "kernels/gemm/micro.h"
#include "kernels/gemm/scratch.h"
#include "kernels/gemm/tile.h"
#include "kernels/gemm_arguments.h"
#include "kernels/isa/isa.h"

namespace simdrop::detail {
namespace {

// All weights of a forward product: where they lie, if they stay in L1, and else in `copy`, where
// the products that meet them first put them.
template <class T>
struct AllWeights {
  const ForwardPart<T>& p;
  T* copy;
  bool first_moves;  // whether multiply_first() has more to do than to multiply

  [[nodiscard]] const T* at(const WeightsTile& tile) const {
    return p.weights.data + tile.out * p.weights.ld + tile.in;
  }
  // A tile and a panel of x.
  [[nodiscard]] MicroOperands<T> operands(const WeightsTile& tile, const T* x) const {
    if (first_moves) return {copy, row_stride<T>, x, nr_of<T>};
    return {at(tile), p.weights.ld, x, nr_of<T>};
  }
  // What is copied after a tile; the same again where less follows than is prefetched.
  [[nodiscard]] const T* next_to_copy(const WeightsTile& tile) const {
    constexpr std::size_t ahead = left_prefetch_vectors * lanes_of<T>;
    const T* from = at(tile);
    if (p.ins - tile.in - tile.k >= ahead) return from + tile.k;
    const bool more_rows = tile.out + 2 * tile.m <= p.outs && p.ins >= ahead;
    return more_rows ? from - tile.in + tile.m * p.weights.ld : from;
  }
  void multiply_first(const WeightsTile& tile, std::size_t n, const MicroOperands<T>& operands,
                      T* c, std::size_t ldc) const {
    const LeftCopied<T> source{
        {at(tile), p.weights.ld, operands.b, operands.b_ld}, copy, next_to_copy(tile)};
    call_micro<T, true>(tile.m, n, tile.k, source, c, ldc, tile.in != 0);
  }
};

template <class T, class Weights>
inline void forward_tiles(const ForwardPart<T>& p, const Weights& weights) {
  constexpr std::size_t nr = nr_of<T>;
  const std::size_t ld = round_up_to<T>(p.batch, nr);
  T* sums = p.scratch;
  for (std::size_t out = 0; out < p.outs; out += macro_rows<T>) {
    const std::size_t outs = smaller(macro_rows<T>, p.outs - out);
    const EvenSplit tiles(outs, tile_mr);
    for (std::size_t t = 0; t < tiles.count; ++t) {
      const std::size_t m = tiles.size(t);
      T* c = sums + tiles.begin(t) * ld;
      for (std::size_t in = 0; in == 0 || in < p.ins; in += kc) {
        const std::size_t k = smaller(kc, p.ins - in);
        const WeightsTile tile{out + tiles.begin(t), m, in, k};
        MicroOperands<T> operands = weights.operands(tile, p.x + in * nr);
        // Examples are finished as soon as the last products of the macro-tile are there, which
        // hides behind the ones of the next examples.
        const bool last = t + 1 == tiles.count && in + k >= p.ins;
        for (std::size_t r = 0; r < p.batch; r += nr, operands.b += nr * p.ins) {
          const std::size_t rows = smaller(nr, p.batch - r);
          if (r == 0 && weights.first_moves) {
            weights.multiply_first(tile, rows, operands, c, ld);
          } else {
            call_micro<T, true>(m, rows, k, operands, c + r, ld, in != 0);
          }
          if (last && p.epilogue.bits != nullptr) {
            finish_forward<T, true>(p, sums + r, ld, out, outs, r, rows);
          } else if (last) {
            finish_forward<T, false>(p, sums + r, ld, out, outs, r, rows);
          }
        }
      }
    }
  }
}

template <class T>
T* weights_copy(const ForwardPart<T>& p) {
  return p.scratch + macro_rows<T> * round_up_to<T>(p.batch, nr_of<T>);
}

template <class T>
void forward_product(const ForwardPart<T>& p) {
  forward_tiles(p, AllWeights<T>{p, weights_copy(p), !fits_l1<T>(p.outs, p.weights.ld)});
}
inline void forward_product(const ForwardPart<float>& p) {
  if (p.kept.drops_units) {
    forward_tiles(p, KeptWeights{p, weights_copy(p)});
  } else {
    forward_product<float>(p);
  }
}

}  // namespace
}  // namespace simdrop::detail
