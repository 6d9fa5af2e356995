// Products on the units of a layer that are kept, while the weights are those of all units: kept
// rows and columns are compressed where weights are copied, and gradients go back to where they
// belong where the optimiser takes its step.
//
// Source: Graham, Reizenstein and Robinson, "Efficient batchwise dropout training using
// submatrices", arXiv 1502.02478.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/gemm/micro.h"
#include "kernels/gemm/tile.h"
#include "kernels/gemm_arguments.h"
#include "kernels/isa/isa.h"
#include "kernels/mask/bits.h"
#include "kernels/optimizer/norm.h"
#include "kernels/optimizer/update.h"

namespace simdrop::detail {
namespace {

// Bits of `lanes_f32` units from u on; those beyond n <= lanes_f32 are 0.
inline std::uint64_t kept_bits(const KeptUnits& kept, std::size_t u, std::size_t n) {
  const std::uint64_t inside = (std::uint64_t{1} << n) - 1;
  return kept.index == nullptr ? inside : load_mask(kept.bits, u) & inside;
}
inline std::size_t count_bits(std::uint64_t bits) {
  return static_cast<std::size_t>(__builtin_popcountll(bits));
}
inline std::size_t unit_of(const KeptUnits& kept, std::size_t i) {
  return kept.index == nullptr ? i : kept.index[i];
}
// All units in runs: each begins with a kept unit, but for the first, which has those before it
// too. That of kept unit i begins, and that of kept unit i - 1 ends, at:
inline std::size_t run_begin(const KeptUnits& kept, std::size_t i) {
  return i == 0 ? 0 : unit_of(kept, i);
}
inline std::size_t run_end(const KeptUnits& kept, std::size_t i) {
  return i == kept.count ? kept.units : unit_of(kept, i);
}

// Kept columns first ... first + count - 1 of a row, times factor. Whole vectors are written: at
// most lanes_f32 - 1 floats behind them are overwritten.
inline void compress_row(const KeptUnits& kept, std::size_t first, std::size_t count,
                         const float* row, VecF factor, float* to) {
  if (count == 0) return;
  std::size_t u = unit_of(kept, first);
  const std::size_t end = unit_of(kept, first + count - 1) + 1;
  std::size_t skip = u % lanes_f32;
  for (u -= skip; u + lanes_f32 <= end; u += lanes_f32, skip = 0) {
    const std::uint64_t bits = kept_bits(kept, u, lanes_f32) >> skip << skip;
    store(to, compress(bits, load(row + u) * factor));
    to += count_bits(bits);
  }
  if (u < end) {
    const std::uint64_t bits = kept_bits(kept, u, end - u) >> skip << skip;
    store(to, compress(bits, load_first(row + u, end - u) * factor));
  }
}

inline void compress_rows_f32(std::size_t rows, const KeptUnits& kept, float factor, const float* x,
                              std::size_t ld_x, float* y, std::size_t ld_y) {
  for (std::size_t r = 0; r < rows; ++r) {
    compress_row(kept, 0, kept.count, x + r * ld_x, VecF(factor), y + r * ld_y);
  }
}

// Rows of the weights that kept outputs from `first` on take, and where in them inputs q ...
// q + k - 1 lie.
struct KeptRows {
  const float* rows[tile_mr];
  std::size_t begin, end;

  KeptRows(const ForwardProduct<float>& p, std::size_t first, std::size_t q, std::size_t k)
      : begin(k == 0 ? 0 : unit_of(p.columns, q)),
        end(k == 0 ? 0 : unit_of(p.columns, q + k - 1) + 1) {
    for (std::size_t i = 0; i < tile_mr; ++i) {
      const std::size_t out = smaller(first + i, p.outs - 1);
      rows[i] = p.w + (p.rows != nullptr ? p.rows[out] : out) * p.ld_w;
    }
  }
};

// Inputs q ... q + k - 1 of outputs first ... first + m - 1 as the left operand, which `operands`
// has for the whole of W: they are copied to where W's kept part is wanted, or to `copy`.
inline MicroOperands<float> compress_weights(const ForwardProduct<float>& p, std::size_t first,
                                             std::size_t m, std::size_t q, std::size_t k,
                                             MicroOperands<float> operands, float* copy) {
  const bool keeps_copy = p.kept_w != nullptr;
  float* to = keeps_copy ? p.kept_w + first * p.ld_kept_w + q : copy;
  operands.a = to;
  operands.a_ld = keeps_copy ? p.ld_kept_w : row_stride<float>;
  const KeptRows from(p, first, q, k);
  for (std::size_t i = 0; i < m; ++i, to += operands.a_ld) {
    if (p.columns.index != nullptr) {
      compress_row(p.columns, q, k, from.rows[i], VecF(1.0F), to);
    } else {
      std::memcpy(to, from.rows[i] + q, k * sizeof(float));
    }
  }
  return operands;
}

// The first products of compressed weights, while what is compressed next is prefetched.
inline void multiply_compressed(const ForwardProduct<float>& p, std::size_t first, std::size_t m,
                                std::size_t q, std::size_t n, std::size_t k,
                                const MicroOperands<float>& operands, float* c, std::size_t ldc) {
  const bool same_rows = q + k < p.k;
  const std::size_t next_q = same_rows ? q + k : 0;
  const KeptRows next(p, same_rows ? first : first + m, next_q, smaller(kc, p.k - next_q));
  const LeftPrefetched<float> prefetching{operands, next.rows, next.begin, next.end};
  call_micro<float, true>(m, n, k, prefetching, c, ldc, q != 0);
}

// Only floats are compressed.
inline MicroOperands<double> compress_weights(const ForwardProduct<double>&, std::size_t,
                                              std::size_t, std::size_t, std::size_t,
                                              MicroOperands<double> operands, double*) {
  return operands;
}
inline void multiply_compressed(const ForwardProduct<double>&, std::size_t, std::size_t,
                                std::size_t, std::size_t, std::size_t, const MicroOperands<double>&,
                                double*, std::size_t) {}

// A range of the columns of a row of weights, of which the kept ones have gradients: the first is
// alpha times *sums.
struct GradientRow {
  const KeptUnits& columns;
  std::size_t begin, end;
  VecF alpha;
};

template <bool Lazy, class Update>
inline void update_kept_row(const Update& update, const GradientRow& row, std::size_t at,
                            const float* sums) {
  std::size_t u = row.begin;
  for (; u + lanes_f32 <= row.end; u += lanes_f32) {
    const std::uint64_t bits = kept_bits(row.columns, u, lanes_f32);
    const VecF g = expand(bits, row.alpha * load(sums));
    if constexpr (Lazy) {
      update.vector(at + u, g, SomeLanes{bits});
    } else {
      update.vector(at + u, g);
    }
    sums += count_bits(bits);
  }
  if (u == row.end) return;
  const std::uint64_t bits = kept_bits(row.columns, u, row.end - u);
  float tail[lanes_f32];
  store(tail, expand(bits, row.alpha * load(sums)));
  for (std::size_t i = 0; i < lanes_f32 && u + i < row.end; ++i) {
    if (!Lazy || (bits >> i & 1) != 0) update.elements(at + u + i, 1, tail + i);
  }
}

template <class Update>
inline void update_dropped_row(const Update& update, std::size_t begin, std::size_t end,
                               std::size_t at) {
  const float zero = 0.0F;
  std::size_t u = begin;
  for (; u + lanes_f32 <= end; u += lanes_f32) update.vector(at + u, VecF(0.0F));
  for (; u < end; ++u) update.elements(at + u, 1, &zero);
}

// Gradients as they are; never lazy.
struct StoreUpdate {
  float* target;
  void vector(std::size_t i, VecF g) const { store(target + i, g); }
  void vector(std::size_t i, VecF g, SomeLanes) const { vector(i, g); }
  void elements(std::size_t i, std::size_t n, const float* g) const {
    for (std::size_t j = 0; j < n; ++j) target[i + j] = g[j];
  }
};

// Nothing is added to what has no gradient.
struct AddUpdate {
  float* target;
  void vector(std::size_t i, VecF g) const { store(target + i, load(target + i) + g); }
  void vector(std::size_t i, VecF g, SomeLanes) const { vector(i, g); }
  void elements(std::size_t i, std::size_t n, const float* g) const {
    for (std::size_t j = 0; j < n; ++j) target[i + j] += g[j];
  }
};

template <class Body>
inline void with_update(const BackwardWeightsProduct<float>& p, const GradientUse<float>& use,
                        Body body) {
  if (use.update == Update::sgd) {
    with_sgd_update(p.sgd, use.target, use.first, body);
  } else if (use.update == Update::adam) {
    with_adam_update(p.adam, use.target, use.first, use.second, body);
  } else if (use.update == Update::add) {
    body(AddUpdate{use.target});
  } else {
    body(StoreUpdate{use.target});
  }
}

// Kept outputs out ... out + m - 1 of all, and the dropped ones of their runs, in some columns.
struct KeptTile {
  std::size_t out, m;
  GradientRow row;
};

template <bool Lazy, class Update>
inline void update_kept_tile(const Update& update, const BackwardWeightsProduct<float>& p,
                             const KeptTile& tile, const float* sums, std::size_t ld_sums) {
  const std::size_t ld = p.weights.ld;
  const GradientRow& row = tile.row;
  std::size_t r = run_begin(p.out_units, tile.out);
  for (std::size_t i = 0; i < tile.m; ++i, ++r) {
    const std::size_t unit = unit_of(p.out_units, tile.out + i);
    if constexpr (!Lazy) {
      for (; r < unit; ++r) update_dropped_row(update, row.begin, row.end, r * ld);
    }
    update_kept_row<Lazy>(update, row, unit * ld, sums + i * ld_sums);
    r = unit;
  }
  if constexpr (!Lazy) {
    const std::size_t end = run_end(p.out_units, tile.out + tile.m);
    for (; r < end; ++r) update_dropped_row(update, row.begin, row.end, r * ld);
  }
}
inline void use_kept_tile(const BackwardWeightsProduct<float>& p, const KeptTile& tile,
                          const float* sums, std::size_t ld_sums) {
  with_update(p, p.weights, [&](const auto& update) {
    if (p.lazy) {
      update_kept_tile<true>(update, p, tile, sums, ld_sums);
    } else {
      update_kept_tile<false>(update, p, tile, sums, ld_sums);
    }
  });
}
// The bias is a row, whose columns are the outputs.
inline void use_kept_bias(const BackwardWeightsProduct<float>& p, std::size_t out, std::size_t m,
                          const float* sums) {
  const GradientRow row{p.out_units, run_begin(p.out_units, out), run_end(p.out_units, out + m),
                        VecF(p.alpha)};
  with_update(p, p.bias, [&](const auto& update) {
    if (p.lazy) {
      update_kept_row<true>(update, row, 0, sums);
    } else {
      update_kept_row<false>(update, row, 0, sums);
    }
  });
}

// The max-norm constraint on what an update has touched.
inline void limit_kept_norms(const BackwardWeightsProduct<float>& p, std::size_t out,
                             std::size_t m) {
  const auto limit = [&](std::size_t unit, std::size_t rows) {
    limit_norms_f32(p.max_norm, rows, p.in_units.units, p.weights.target + unit * p.weights.ld);
  };
  if (!p.lazy) {
    const std::size_t begin = run_begin(p.out_units, out);
    limit(begin, run_end(p.out_units, out + m) - begin);
    return;
  }
  if (p.in_units.count == 0) return;  // nothing but biases has been touched
  for (std::size_t i = 0; i < m; ++i) limit(unit_of(p.out_units, out + i), 1);
}

}  // namespace
}  // namespace simdrop::detail
