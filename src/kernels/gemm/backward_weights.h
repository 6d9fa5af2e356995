// The gradients of the weights and the bias, outputs x inputs, and what becomes of them.
#pragma once

#include <cstddef>

#include "kernels/gemm/epilogue.h"
#include "kernels/gemm/kept_units.h"
#include "kernels/gemm/micro.h"
#include "kernels/gemm/pack.h"
#include "kernels/gemm/scratch.h"
#include "kernels/gemm/tile.h"
#include "kernels/gemm_arguments.h"
#include "kernels/isa/isa.h"
#include "kernels/optimizer/norm.h"

namespace simdrop::detail {
namespace {

// A tile of outputs, and their gradients as the left operand.
template <class T>
struct OutputTile {
  std::size_t out, m;
  const T* dy;
  std::size_t ld;
};

// Sums of the columns of dy, examples in order.
template <class T>
inline void sum_columns(const BackwardWeightsPart<T>& p, const OutputTile<T>& tile, T* sums) {
  constexpr std::size_t lanes = lanes_of<T>;
  for (std::size_t i = 0; i < tile.m; i += lanes) {
    const std::size_t n = smaller(lanes, tile.m - i);
    VecOf<T> sum(T{0});
    const T* from = tile.dy + i;
    for (std::size_t r = 0; r < p.batch; ++r, from += tile.ld) sum = sum + load_first(from, n);
    store(sums + i, sum);
  }
}

// The sums of a tile's outputs and n <= nr inputs over the batch.
template <class T>
inline void multiply_tile(const BackwardWeightsPart<T>& p, const OutputTile<T>& tile,
                          std::size_t in, std::size_t n, T* c, std::size_t ldc) {
  constexpr std::size_t nr = nr_of<T>;
  const bool in_place = p.x.ld != 0;
  for (std::size_t q = 0; q == 0 || q < p.batch; q += kc) {
    const std::size_t k = smaller(kc, p.batch - q);
    const T* x = in_place ? p.x.data + q * p.x.ld + in : p.x.data + in * p.batch + q * nr;
    const MicroOperands<T> operands{tile.dy + q * tile.ld, tile.ld, x, in_place ? p.x.ld : nr};
    call_micro<T, false>(tile.m, n, k, operands, c, ldc, q != 0);
  }
}

// The sums of a tile's outputs and all inputs, in scratch; what is only stored goes from there tile
// by tile.
template <class T>
inline void multiply_rows(const BackwardWeightsPart<T>& p, const OutputTile<T>& tile, bool stores) {
  constexpr std::size_t nr = nr_of<T>;
  const std::size_t ld = gradient_ld<T>(p.ins);
  const GradientTarget<T>& dw = p.use.dw;
  const std::size_t offset = tile.out * dw.ld;
  // Sums that are the gradients, in whole vectors, need nothing done.
  const bool in_target = stores && p.use.alpha == T{1} && p.ins % lanes_of<T> == 0;
  for (std::size_t in = 0; in < p.ins; in += nr) {
    const std::size_t n = smaller(nr, p.ins - in);
    T* c = in_target ? dw.data + offset + in : p.scratch + (stores ? 0 : in);
    multiply_tile(p, tile, in, n, c, in_target ? dw.ld : ld);
    if (stores && !in_target) use_gradients(p.use, dw, offset + in, c, ld, tile.m, n);
  }
}

// All products come first, then rows of weights are updated from end to end, which memory streams
// faster than a tile of each.
template <class T>
inline void gradient_rows(const BackwardWeightsPart<T>& p, const OutputTile<T>& tile) {
  const bool stores = p.use.update == Update::store;
  multiply_rows(p, tile, stores);
  if (stores) return;
  use_gradients(p.use, p.use.dw, tile.out * p.use.dw.ld, p.scratch, gradient_ld<T>(p.ins), tile.m,
                p.ins);
}
template <class T>
inline void gradient_bias(const BackwardWeightsPart<T>& p, const OutputTile<T>& tile, T* sums) {
  sum_columns(p, tile, sums);
  use_gradients(p.use, p.use.db, tile.out, sums, 0, 1, tile.m);
}

// Of floats units may be dropped, and norms limited.
inline void use_kept_rows(const BackwardWeightsPart<float>& p, std::size_t out, std::size_t m) {
  const KeptUnits& ins = p.kept.ins;
  const GradientRow row{ins, run_begin(ins, p.first_in), run_end(ins, p.first_in + p.ins),
                        VecF(p.use.alpha)};
  use_kept_tile(p, {p.first_out + out, m, row}, p.scratch, gradient_ld<float>(p.ins));
  if (p.use.step.max_norm != 0.0) limit_kept_norms(p, p.first_out + out, m);
}
inline void gradient_rows(const BackwardWeightsPart<float>& p, const OutputTile<float>& tile) {
  if (p.kept.drops_units) {
    multiply_rows(p, tile, false);
    use_kept_rows(p, tile.out, tile.m);
    return;
  }
  gradient_rows<float>(p, tile);
  const double max_norm = p.use.step.max_norm;
  const GradientTarget<float>& dw = p.use.dw;
  if (max_norm != 0.0) limit_norms_f32(max_norm, tile.m, p.ins, dw.data + tile.out * dw.ld);
}
inline void gradient_bias(const BackwardWeightsPart<float>& p, const OutputTile<float>& tile,
                          float* sums) {
  if (p.kept.drops_units) {
    sum_columns(p, tile, sums);
    use_kept_bias(p, p.first_out + tile.out, tile.m, sums);
  } else {
    gradient_bias<float>(p, tile, sums);
  }
}

template <class T>
void backward_weights_product(const BackwardWeightsPart<T>& p) {
  const EvenSplit tiles(p.outs, tile_mr);
  T* sums = p.scratch + tile_mr * gradient_ld<T>(p.ins);
  T* packed = sums + bias_sums_size<T>;
  for (std::size_t t = 0; t < tiles.count; ++t) {
    const std::size_t out = tiles.begin(t);
    const std::size_t m = tiles.size(t);
    const T* dy = p.dy.data + out;
    // A single tile without padding between its rows is a panel already.
    const bool in_place = m == p.dy.ld || fits_l1<T>(p.batch, p.dy.ld);
    if (!in_place) pack_cols(m, p.batch, dy, p.dy.ld, m, packed);
    const OutputTile<T> tile{out, m, in_place ? dy : packed, in_place ? p.dy.ld : m};
    if (p.use.db.data != nullptr) gradient_bias(p, tile, sums);
    gradient_rows(p, tile);
  }
}
inline void backward_weights_product(const BackwardWeightsPart<float>& p) {
  if (p.kept.drops_units && p.outs == 0) {  // all gradients are 0
    if (p.use.db.data != nullptr) use_kept_bias(p, 0, 0, p.scratch);
    use_kept_rows(p, 0, 0);
  } else {
    backward_weights_product<float>(p);
  }
}

}  // namespace
}  // namespace simdrop::detail
