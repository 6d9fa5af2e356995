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

// Rows of the weights that kept outputs from `first` on take, and where in them kept inputs q ...
// q + k - 1 lie.
struct KeptRows {
  const float* rows[tile_mr];
  std::size_t begin, end;

  KeptRows(const ForwardPart<float>& p, std::size_t first, std::size_t q, std::size_t k)
      : begin(k == 0 ? 0 : unit_of(p.kept.ins, q)),
        end(k == 0 ? 0 : unit_of(p.kept.ins, q + k - 1) + 1) {
    for (std::size_t i = 0; i < tile_mr; ++i) {
      const std::size_t out = p.first_out + smaller(first + i, p.outs - 1);
      rows[i] = p.weights.data + unit_of(p.kept.outs, out) * p.weights.ld;
    }
  }
};

// The weights of a forward product on kept units: compressed, and left where the backward pass
// wants them, or in `copy`.
struct KeptWeights {
  const ForwardPart<float>& p;
  float* copy;
  static constexpr bool first_moves = true;  // see AllWeights

  [[nodiscard]] MicroOperands<float> operands(const WeightsTile& tile, const float* x) const {
    const Rows<float>& kept = p.kept.weights;
    const bool leaves = kept.data != nullptr;
    float* to = leaves ? kept.data + tile.out * kept.ld + tile.in : copy;
    const MicroOperands<float> result{to, leaves ? kept.ld : row_stride<float>, x, nr_of<float>};
    const KeptRows from(p, tile.out, tile.in, tile.k);
    for (std::size_t i = 0; i < tile.m; ++i, to += result.a_ld) {
      if (p.kept.ins.index != nullptr) {
        compress_row(p.kept.ins, tile.in, tile.k, from.rows[i], VecF(1.0F), to);
      } else {
        std::memcpy(to, from.rows[i] + tile.in, tile.k * sizeof(float));
      }
    }
    return result;
  }

  // Prefetches what is compressed next.
  void multiply_first(const WeightsTile& tile, std::size_t n, const MicroOperands<float>& operands,
                      float* c, std::size_t ldc) const {
    const std::size_t end = tile.in + tile.k;
    const bool same_rows = end < p.ins;
    const std::size_t next_in = same_rows ? end : 0;
    const KeptRows next(p, same_rows ? tile.out : tile.out + tile.m, next_in,
                        smaller(kc, p.ins - next_in));
    const LeftPrefetched<float> prefetching{operands, next.rows, next.begin, next.end};
    call_micro<float, true>(tile.m, n, tile.k, prefetching, c, ldc, tile.in != 0);
  }
};

// A range of the columns of a row of weights, of which the kept ones have gradients: the first is
// alpha times *sums.
struct GradientRow {
  const KeptUnits& columns;
  std::size_t begin, end;
  VecF alpha;
};

// A row is long, and its update a function by itself: the library is 16 KB smaller. What is copied
// first no store may change, so it is not read again for each vector.
template <bool Lazy, class Update>
[[gnu::noinline]] void update_kept_row(const Update& shared, const GradientRow& row, std::size_t at,
                                       const float* sums) {
  const Update update = shared;
  const KeptUnits columns = row.columns;
  const VecF alpha = row.alpha;
  const std::size_t end = row.end;
  std::size_t u = row.begin;
  for (; u + lanes_f32 <= end; u += lanes_f32) {
    const std::uint64_t bits = kept_bits(columns, u, lanes_f32);
    const VecF g = expand(bits, alpha * load(sums));
    if constexpr (Lazy) {
      update.vector(at + u, g, SomeLanes{bits});
    } else {
      update.vector(at + u, g);
    }
    sums += count_bits(bits);
  }
  if (u == end) return;
  const std::uint64_t bits = kept_bits(columns, u, end - u);
  float tail[lanes_f32];
  store(tail, expand(bits, alpha * load(sums)));
  for (std::size_t i = 0; i < lanes_f32 && u + i < end; ++i) {
    if (!Lazy || (bits >> i & 1) != 0) update.elements(at + u + i, 1, tail + i);
  }
}

template <class Update>
[[gnu::noinline]] void update_dropped_row(const Update& shared, std::size_t begin, std::size_t end,
                                          std::size_t at) {
  const Update update = shared;
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
inline void with_update(const GradientUse<float>& use, const GradientTarget<float>& to, Body body) {
  if (use.update == Update::sgd) {
    with_sgd_update(use.step.sgd, to.data, to.first, body);
  } else if (use.update == Update::adam) {
    with_adam_update(use.step.adam, to.data, to.first, to.second, body);
  } else if (use.update == Update::add) {
    body(AddUpdate{to.data});
  } else {
    body(StoreUpdate{to.data});
  }
}

// Whether what has no gradient stays as it is.
inline bool is_lazy(const GradientUse<float>& use) {
  return use.step.lazy || use.update == Update::add;
}

// Kept outputs out ... out + m - 1 of all, and the dropped ones of their runs, in some columns.
struct KeptTile {
  std::size_t out, m;
  GradientRow row;
};

template <bool Lazy, class Update>
inline void update_kept_tile(const Update& update, const BackwardWeightsPart<float>& p,
                             const KeptTile& tile, const float* sums, std::size_t ld_sums) {
  const KeptUnits& outs = p.kept.outs;
  const std::size_t ld = p.use.dw.ld;
  const GradientRow& row = tile.row;
  std::size_t r = run_begin(outs, tile.out);
  for (std::size_t i = 0; i < tile.m; ++i, ++r) {
    const std::size_t unit = unit_of(outs, tile.out + i);
    if constexpr (!Lazy) {
      for (; r < unit; ++r) update_dropped_row(update, row.begin, row.end, r * ld);
    }
    update_kept_row<Lazy>(update, row, unit * ld, sums + i * ld_sums);
    r = unit;
  }
  if constexpr (!Lazy) {
    const std::size_t end = run_end(outs, tile.out + tile.m);
    for (; r < end; ++r) update_dropped_row(update, row.begin, row.end, r * ld);
  }
}
inline void use_kept_tile(const BackwardWeightsPart<float>& p, const KeptTile& tile,
                          const float* sums, std::size_t ld_sums) {
  with_update(p.use, p.use.dw, [&](const auto& update) {
    if (is_lazy(p.use)) {
      update_kept_tile<true>(update, p, tile, sums, ld_sums);
    } else {
      update_kept_tile<false>(update, p, tile, sums, ld_sums);
    }
  });
}
// The bias is a row, whose columns are the outputs.
inline void use_kept_bias(const BackwardWeightsPart<float>& p, std::size_t out, std::size_t m,
                          const float* sums) {
  const KeptUnits& outs = p.kept.outs;
  const GradientRow row{outs, run_begin(outs, out), run_end(outs, out + m), VecF(p.use.alpha)};
  with_update(p.use, p.use.db, [&](const auto& update) {
    if (is_lazy(p.use)) {
      update_kept_row<true>(update, row, 0, sums);
    } else {
      update_kept_row<false>(update, row, 0, sums);
    }
  });
}

// The max-norm constraint on what an update has touched.
inline void limit_kept_norms(const BackwardWeightsPart<float>& p, std::size_t out, std::size_t m) {
  const KeptUnits& outs = p.kept.outs;
  const auto limit = [&](std::size_t unit, std::size_t rows) {
    limit_norms_f32(p.use.step.max_norm, rows, p.kept.ins.units,
                    p.use.dw.data + unit * p.use.dw.ld);
  };
  if (!p.use.step.lazy) {
    const std::size_t begin = run_begin(outs, out);
    limit(begin, run_end(outs, out + m) - begin);
    return;
  }
  if (p.kept.ins.count == 0) return;  // nothing but biases has been touched
  for (std::size_t i = 0; i < m; ++i) limit(unit_of(outs, out + i), 1);
}

}  // namespace
}  // namespace simdrop::detail
