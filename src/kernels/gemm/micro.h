// The register-blocked micro-kernel of the products.
#pragma once

#include <cstddef>

#include "kernels/gemm/tile.h"
#include "kernels/isa/isa.h"

namespace simdrop::detail {
namespace {

// Terms of a sum between two visits to memory (kc in the BLIS papers).
constexpr std::size_t kc = 512;
// Rows of the left operand that are copied, not packed, lie so far apart: kc elements and a line,
// which keeps them out of each other's cache sets.
template <class T>
constexpr std::size_t row_stride = kc + 64 / sizeof(T);

// The left operand's element (i, p) is a[i * a_ld + p] if its rows are copied or in place, or
// a[p * a_ld + i] in a panel. The right one's is b[p * b_ld + j].
template <class T>
struct MicroOperands {
  const T* a;
  std::size_t a_ld;
  const T* b;
  std::size_t b_ld;
};

// The same where an operand is read from L2 or beyond, and copied to L1 on the way: the left one's
// rows come to lie row_stride apart, the right one's without gaps. `next` is what will be copied
// next, and is prefetched.
template <class T>
struct LeftCopied : MicroOperands<T> {
  T* copy;
  const T* next;
};
template <class T>
struct RightCopied : MicroOperands<T> {
  T* copy;
  const T* next;
};
// Elements begin ... end - 1 of M rows, which are copied next, are prefetched.
template <class T>
struct LeftPrefetched : MicroOperands<T> {
  const T* const* rows;
  std::size_t begin, end;
};
// How far ahead a copied operand is prefetched: vectors of the left one's rows, rows of the right
// one. As tuned on Zen 5.
constexpr std::size_t left_prefetch_vectors = 4;
constexpr std::size_t right_prefetch_rows = 40;

// Row i of the left operand, by the two forms of addresses that need no pointer for each row.
template <class T, int M, bool ByRows>
struct LeftRows {
  static constexpr std::size_t by_scaled_index = 3;  // a pointer, and once and twice ld from it
  static constexpr std::size_t step = ByRows ? by_scaled_index : M;
  static constexpr std::size_t pointers = (M + step - 1) / step;
  const T* base[pointers];
  std::size_t ld;

  LeftRows(const T* a, std::size_t a_ld) : ld(a_ld) {
    for (std::size_t g = 0; g < pointers; ++g) base[g] = a + g * step * (ByRows ? ld : 1);
  }
  [[nodiscard]] T at(std::size_t i) const {
    return load_one(base[i / step] + i % step * (ByRows ? ld : 1));
  }
  void next() {
#pragma GCC unroll 8
    for (std::size_t g = 0; g < pointers; ++g) base[g] += ByRows ? 1 : ld;
  }
};

// What follows is part of a micro-kernel, inlined into it. Nothing is copied:
template <class T, int NV>
struct NoCopier {
  [[gnu::always_inline]] void copy_row(std::size_t /*p*/, const VecOf<T>* /*row*/) {}
};

// Row p of the right operand, which has k.
template <class T, int NV>
struct RightCopier {
  T* copy;
  const T *ahead, *next;
  std::size_t ld, wrap;

  RightCopier(std::size_t k, const RightCopied<T>& operands)
      : copy(operands.copy),
        ahead(k > right_prefetch_rows ? operands.b + right_prefetch_rows * operands.b_ld
                                      : operands.next),
        next(operands.next),
        ld(operands.b_ld),
        wrap(k - right_prefetch_rows) {}
  [[gnu::always_inline]] void copy_row(std::size_t p, const VecOf<T>* row) {
    constexpr std::size_t lanes = lanes_of<T>;
    if (p == wrap) ahead = next;
#pragma GCC unroll 8
    for (std::size_t j = 0; j < NV * lanes; j += 64 / sizeof(T)) __builtin_prefetch(ahead + j);
#pragma GCC unroll 8
    for (std::size_t j = 0; j < NV; ++j) store(copy + j * lanes, row[j]);
    ahead += ld;
    copy += NV * lanes;
  }
};

// Elements [p, p + lanes) of M rows of the left operand, which have k.
template <class T, int M>
[[gnu::always_inline]] inline void copy_left(std::size_t p, std::size_t k,
                                             const LeftCopied<T>& operands) {
  constexpr std::size_t lanes = lanes_of<T>;
  const std::size_t n = smaller(lanes, k - p);
  const std::size_t later = p + left_prefetch_vectors * lanes;
  const T* ahead = later < k ? operands.a + later : operands.next + (later - k) / lanes * lanes;
  const T* from = operands.a + p;
  T* to = operands.copy + p;
  for (std::size_t i = 0; i < M;
       ++i, from += operands.a_ld, ahead += operands.a_ld, to += row_stride<T>) {
    __builtin_prefetch(ahead);
    if (n == lanes) {
      store(to, load(from));
    } else {
      store_first(to, load_first(from, n), n);
    }
  }
}

// k steps of the products, of b's rows.
template <class T, int M, int NV, bool ByRows, class Copy>
[[gnu::always_inline]] inline void multiply_steps(std::size_t k, LeftRows<T, M, ByRows>& left,
                                                  const T* b, std::size_t b_ld, Copy&& copy,
                                                  VecOf<T> (&sums)[M][NV]) {
  using V = VecOf<T>;
  for (std::size_t p = 0; p < k; ++p) {
    V column[NV];
#pragma GCC unroll 8
    for (std::size_t j = 0; j < NV; ++j) column[j] = load(b + j * lanes_of<T>);
    copy.copy_row(p, column);
#pragma GCC unroll 16
    for (std::size_t i = 0; i < M; ++i) {
      const V row(left.at(i));
#pragma GCC unroll 8
      for (std::size_t j = 0; j < NV; ++j) sums[i][j] = mul_add(row, column[j], sums[i][j]);
    }
    left.next();
    b += b_ld;
  }
}

template <class T, int M, int NV, bool ByRows>
[[gnu::always_inline]] inline void multiply_all(std::size_t k, const MicroOperands<T>& operands,
                                                VecOf<T> (&sums)[M][NV]) {
  LeftRows<T, M, ByRows> left(operands.a, operands.a_ld);
  multiply_steps<T, M, NV>(k, left, operands.b, operands.b_ld, NoCopier<T, NV>{}, sums);
}
template <class T, int M, int NV, bool ByRows>
[[gnu::always_inline]] inline void multiply_all(std::size_t k, const RightCopied<T>& operands,
                                                VecOf<T> (&sums)[M][NV]) {
  LeftRows<T, M, ByRows> left(operands.a, operands.a_ld);
  multiply_steps<T, M, NV>(k, left, operands.b, operands.b_ld, RightCopier<T, NV>(k, operands),
                           sums);
}
template <class T, int M, int NV, bool ByRows>
[[gnu::always_inline]] inline void multiply_all(std::size_t k, const LeftCopied<T>& operands,
                                                VecOf<T> (&sums)[M][NV]) {
  constexpr std::size_t lanes = lanes_of<T>;
  LeftRows<T, M, ByRows> left(operands.copy, row_stride<T>);
  for (std::size_t p = 0; p < k; p += lanes) {
    copy_left<T, M>(p, k, operands);
    multiply_steps<T, M, NV>(smaller(lanes, k - p), left, operands.b + p * operands.b_ld,
                             operands.b_ld, NoCopier<T, NV>{}, sums);
  }
}

template <class T, int M, int NV, bool ByRows>
[[gnu::always_inline]] inline void multiply_all(std::size_t k, const LeftPrefetched<T>& operands,
                                                VecOf<T> (&sums)[M][NV]) {
  constexpr std::size_t lanes = lanes_of<T>;
  constexpr std::size_t line = 64 / sizeof(T);
  LeftRows<T, M, ByRows> left(operands.a, operands.a_ld);
  const std::size_t per_step = (operands.end - operands.begin) * lanes / (k + 1) + line;
  std::size_t c = operands.begin;
  for (std::size_t p = 0; p < k; p += lanes) {
    for (const std::size_t stop = smaller(c + per_step, operands.end); c < stop; c += line) {
      for (std::size_t i = 0; i < M; ++i) __builtin_prefetch(operands.rows[i] + c, 0, 2);
    }
    multiply_steps<T, M, NV>(smaller(lanes, k - p), left, operands.b + p * operands.b_ld,
                             operands.b_ld, NoCopier<T, NV>{}, sums);
  }
}

// c (M rows, NV vectors) = or += a b over k, as one chain per element.
template <class T, int M, int NV, bool ByRows, class Operands>
[[gnu::always_inline]] inline void micro_tile(std::size_t k, const Operands& operands, T* c,
                                              std::size_t ldc, bool accumulate) {
  using V = VecOf<T>;
  constexpr std::size_t lanes = lanes_of<T>;
  V sums[M][NV];
  if (accumulate) {
#pragma GCC unroll 16
    for (std::size_t i = 0; i < M; ++i) {
#pragma GCC unroll 8
      for (std::size_t j = 0; j < NV; ++j) sums[i][j] = load(c + i * ldc + j * lanes);
    }
  } else {
#pragma GCC unroll 16
    for (std::size_t i = 0; i < M; ++i) {
#pragma GCC unroll 8
      for (std::size_t j = 0; j < NV; ++j) sums[i][j] = V(T{0});
    }
  }
  multiply_all<T, M, NV, ByRows>(k, operands, sums);
#pragma GCC unroll 16
  for (std::size_t i = 0; i < M; ++i) {
#pragma GCC unroll 8
    for (std::size_t j = 0; j < NV; ++j) store(c + i * ldc + j * lanes, sums[i][j]);
  }
}

// Each tile is a function by itself: what surrounds it takes none of its registers. It is aligned,
// so that its time depends less on where it comes to lie. The full one, in which nearly all of the
// time goes, copies its operands: no store can change the copy, so it is read once.
template <class T, bool ByRows, class Operands>
[[gnu::noinline, gnu::aligned(64)]] void full_tile(std::size_t k, const Operands& operands, T* c,
                                                   std::size_t ldc, bool accumulate) {
  const Operands copy = operands;
  micro_tile<T, tile_mr, tile_nv, ByRows>(k, copy, c, ldc, accumulate);
}
template <class T, int M, int NV, bool ByRows, class Operands>
[[gnu::noinline, gnu::aligned(32)]] void edge_tile(std::size_t k, const Operands& operands, T* c,
                                                   std::size_t ldc, bool accumulate) {
  micro_tile<T, M, NV, ByRows>(k, operands, c, ldc, accumulate);
}

// The micro-kernel of m rows and n columns, 1 <= m <= tile_mr, 1 <= n <= nr; it computes whole
// vectors.
template <class T, bool ByRows, int M = tile_mr, int NV = tile_nv, class Operands>
[[gnu::always_inline]] inline void call_micro(std::size_t m, std::size_t n, std::size_t k,
                                              const Operands& operands, T* c, std::size_t ldc,
                                              bool accumulate) {
  if constexpr (M > 1) {
    if (m < M) {
      call_micro<T, ByRows, M - 1, NV>(m, n, k, operands, c, ldc, accumulate);
      return;
    }
  }
  if constexpr (NV > 1) {
    if (n <= (NV - 1) * lanes_of<T>) {
      call_micro<T, ByRows, M, NV - 1>(m, n, k, operands, c, ldc, accumulate);
      return;
    }
  }
  if constexpr (M == tile_mr && NV == tile_nv) {
    full_tile<T, ByRows>(k, operands, c, ldc, accumulate);
  } else {
    edge_tile<T, M, NV, ByRows>(k, operands, c, ldc, accumulate);
  }
}

}  // namespace
}  // namespace simdrop::detail
