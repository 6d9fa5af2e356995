// The product of a few rows with a matrix whose rows are read once, where they lie: nothing is
// packed. Vectors run along k, one accumulator to each dot product, so that the order of a sum
// depends on k alone; many dot products at a time cover the latency of the FMA.
#pragma once

#include <cstddef>

#include "kernels/isa/isa.h"

namespace simdrop::detail {
namespace {

struct FewRows {
  std::size_t k;
  const float* x;
  std::size_t ldx;
  const float* w;
  std::size_t ldw;
  const float* bias;
  bool relu;
  float* y;
  std::size_t ldy;
};

// One step along k of every dot product of a tile; get(p) reads a vector.
template <std::size_t W, std::size_t X, class Get>
inline void few_rows_step(const float* const (&rows)[W], const float* x, std::size_t ldx,
                          std::size_t p, VecF (&sums)[W][X], Get get) {
  VecF in[X];
#pragma GCC unroll 4
  for (std::size_t i = 0; i < X; ++i) in[i] = get(x + i * ldx + p);
#pragma GCC unroll 16
  for (std::size_t j = 0; j < W; ++j) {
    const VecF weights = X == 1 ? get(rows[j] + p) : loaded_once(get(rows[j] + p));
#pragma GCC unroll 4
    for (std::size_t i = 0; i < X; ++i) sums[j][i] = mul_add(weights, in[i], sums[j][i]);
  }
}

// The first n <= W outputs of a tile; those beyond repeat the last row and are not written.
template <std::size_t W, std::size_t X>
inline void few_rows_tile(const FewRows& s, std::size_t n, const float* x, const float* w,
                          const float* bias, float* y) {
  const float* rows[W];
#pragma GCC unroll 16
  for (std::size_t j = 0; j < W; ++j) rows[j] = w + smaller(j, n - 1) * s.ldw;
  VecF sums[W][X];
#pragma GCC unroll 16
  for (std::size_t j = 0; j < W; ++j) {
#pragma GCC unroll 4
    for (std::size_t i = 0; i < X; ++i) sums[j][i] = VecF(0.0F);
  }
  std::size_t p = 0;
  for (; p + lanes_f32 <= s.k; p += lanes_f32) {
    few_rows_step(rows, x, s.ldx, p, sums, [](const float* from) { return load(from); });
  }
  if (p < s.k) {
    const std::size_t rest = s.k - p;
    few_rows_step(rows, x, s.ldx, p, sums,
                  [rest](const float* from) { return load_first(from, rest); });
  }
#pragma GCC unroll 4
  for (std::size_t j = 0; j < W; j += 4) {
    if (j >= n) return;
    const std::size_t count = smaller(n - j, 4);
    constexpr std::size_t end = W - 1;
#pragma GCC unroll 4
    for (std::size_t i = 0; i < X; ++i) {
      Quad z = sum_lanes(sums[j][i], sums[smaller(j + 1, end)][i], sums[smaller(j + 2, end)][i],
                         sums[smaller(j + 3, end)][i]);
      if (bias != nullptr) z = add(z, load_quad(bias + j, count));
      store_quad(y + i * s.ldy + j, s.relu ? relu(z) : z, count);
    }
  }
}

// A tile of `rows` rows of x, 2 ... X; X rows if that is less than 3.
template <std::size_t W, std::size_t X>
inline void few_rows_tile_of(std::size_t rows, const FewRows& s, std::size_t n, const float* x,
                             const float* w, const float* bias, float* y) {
  if constexpr (X > 2) {
    if (rows < X) return few_rows_tile_of<W, X - 1>(rows, s, n, x, w, bias, y);
  }
  few_rows_tile<W, X>(s, n, x, w, bias, y);
}

// Every row of x against at most W rows of W, in tiles that differ by one row at most: a row of x
// alone would wait for its own sums.
template <std::size_t W, std::size_t X>
inline void few_rows_panel(const FewRows& s, std::size_t m, std::size_t n, const float* w,
                           const float* bias, float* y) {
  // No pointer goes beyond the last row: what lies between rows may be more than there is memory.
  std::size_t row = 0;
  for (std::size_t tiles = (m + X - 1) / X; tiles > 0; --tiles) {
    const std::size_t rows = (m - row + tiles - 1) / tiles;
    few_rows_tile_of<W, X>(rows, s, n, s.x + row * s.ldx, w, bias, y + row * s.ldy);
    row += rows;
  }
}

template <std::size_t W, std::size_t X>
void few_rows_all(const FewRows& s, std::size_t m, std::size_t n) {
  for (std::size_t j = 0; j < n; j += W) {
    few_rows_panel<W, X>(s, m, smaller(n - j, W), s.w + j * s.ldw,
                         s.bias == nullptr ? nullptr : s.bias + j, s.y + j);
  }
}

// Tiles whose accumulators, rows of x and one row of W fill the registers; of equals those that
// were the fastest on Zen 5. Prefetching the next tile made them slower there.
inline void few_rows_f32(std::size_t m, std::size_t n, std::size_t k, const float* x,
                         std::size_t ldx, const float* w, std::size_t ldw, const float* bias,
                         bool with_relu, float* y, std::size_t ldy) {
  const FewRows s{k, x, ldx, w, ldw, bias, with_relu, y, ldy};
  if (m == 1) {
    few_rows_all<8, 1>(s, m, n);
#if defined(SIMDROP_ISA_AVX2)
  } else if (m == 2 || m == 4) {
    few_rows_all<6, 2>(s, m, n);
  } else {
    few_rows_all<4, 3>(s, m, n);
#else
  } else if (m == 2) {
    few_rows_all<8, 2>(s, m, n);
  } else if (m == 3) {
    few_rows_all<8, 3>(s, m, n);
  } else {
    few_rows_all<6, 4>(s, m, n);
#endif
  }
}

}  // namespace
}  // namespace simdrop::detail
