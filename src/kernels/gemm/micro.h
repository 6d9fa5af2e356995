// The register-blocked micro-kernel of the products.
// Included inside an anonymous namespace; Lanes<T>, load(), store() and the like come from the
// instruction set (xsimd_compat.h) or from product_scalar.h.

template <class T>
using VecOf = typename Lanes<T>::Vec;
template <class T>
constexpr std::size_t lanes_of = Lanes<T>::count;
template <class T>
constexpr std::size_t nr_of = tile_nv* lanes_of<T>;

// Rows of the left operand that are copied, not packed, lie so far apart: k_block elements and a
// line, which keeps them out of each other's cache sets.
constexpr std::size_t k_block = 512;
template <class T>
constexpr std::size_t row_stride = k_block + 64 / sizeof(T);

// The left operand's element (i, p) is a[i * a_ld + p] if its rows are copied or in place, or
// a[p * a_ld + i] in a panel. The right one's is b[p * b_ld + j].
template <class T>
struct MicroOperands {
  const T* a;
  std::size_t a_ld;
  const T* b;
  std::size_t b_ld;
};

// The same where an operand lies far away, and is copied on the way: the left one's rows come to
// lie row_stride apart, or the right one's without gaps. `next` is what follows: it comes near.
template <class T>
struct LeftIsFar : MicroOperands<T> {
  T* copy;
  const T* next;
};
template <class T>
struct RightIsFar : MicroOperands<T> {
  T* copy;
  const T* next;
};
// Elements begin ... end - 1 of M rows, which are wanted next, come near.
template <class T>
struct NextIsFar : MicroOperands<T> {
  const T* const* rows;
  std::size_t begin, end;
};
// So many vectors of the left operand's rows, and rows of the right one, come near before they are
// wanted. Measured.
constexpr std::size_t left_ahead = 4;
constexpr std::size_t right_ahead = 40;

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
struct CopyNothing {
  [[gnu::always_inline]] void copy_row(std::size_t /*p*/, const VecOf<T>* /*row*/) {}
};

// Row p of the right operand, which has k.
template <class T, int NV>
struct CopyRight {
  T* copy;
  const T *ahead, *next;
  std::size_t ld, wrap;

  CopyRight(std::size_t k, const RightIsFar<T>& of)
      : copy(of.copy),
        ahead(k > right_ahead ? of.b + right_ahead * of.b_ld : of.next),
        next(of.next),
        ld(of.b_ld),
        wrap(k - right_ahead) {}
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
[[gnu::always_inline]] inline void copy_left(std::size_t p, std::size_t k, const LeftIsFar<T>& of) {
  constexpr std::size_t lanes = lanes_of<T>;
  const std::size_t n = smaller(lanes, k - p);
  const std::size_t far = p + left_ahead * lanes;
  const T* ahead = far < k ? of.a + far : of.next + (far - k) / lanes * lanes;
  const T* from = of.a + p;
  T* to = of.copy + p;
  for (std::size_t i = 0; i < M; ++i, from += of.a_ld, ahead += of.a_ld, to += row_stride<T>) {
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
[[gnu::always_inline]] inline void multiply_all(std::size_t k, const MicroOperands<T>& of,
                                                VecOf<T> (&sums)[M][NV]) {
  LeftRows<T, M, ByRows> left(of.a, of.a_ld);
  multiply_steps<T, M, NV>(k, left, of.b, of.b_ld, CopyNothing<T, NV>{}, sums);
}
template <class T, int M, int NV, bool ByRows>
[[gnu::always_inline]] inline void multiply_all(std::size_t k, const RightIsFar<T>& of,
                                                VecOf<T> (&sums)[M][NV]) {
  LeftRows<T, M, ByRows> left(of.a, of.a_ld);
  multiply_steps<T, M, NV>(k, left, of.b, of.b_ld, CopyRight<T, NV>(k, of), sums);
}
template <class T, int M, int NV, bool ByRows>
[[gnu::always_inline]] inline void multiply_all(std::size_t k, const LeftIsFar<T>& of,
                                                VecOf<T> (&sums)[M][NV]) {
  constexpr std::size_t lanes = lanes_of<T>;
  LeftRows<T, M, ByRows> left(of.copy, row_stride<T>);
  for (std::size_t p = 0; p < k; p += lanes) {
    copy_left<T, M>(p, k, of);
    multiply_steps<T, M, NV>(smaller(lanes, k - p), left, of.b + p * of.b_ld, of.b_ld,
                             CopyNothing<T, NV>{}, sums);
  }
}

template <class T, int M, int NV, bool ByRows>
[[gnu::always_inline]] inline void multiply_all(std::size_t k, const NextIsFar<T>& of,
                                                VecOf<T> (&sums)[M][NV]) {
  constexpr std::size_t lanes = lanes_of<T>;
  constexpr std::size_t line = 64 / sizeof(T);
  LeftRows<T, M, ByRows> left(of.a, of.a_ld);
  const std::size_t share = (of.end - of.begin) * lanes / (k + 1) + line;
  std::size_t c = of.begin;
  for (std::size_t p = 0; p < k; p += lanes) {
    for (const std::size_t stop = smaller(c + share, of.end); c < stop; c += line) {
      for (std::size_t i = 0; i < M; ++i) __builtin_prefetch(of.rows[i] + c, 0, 2);
    }
    multiply_steps<T, M, NV>(smaller(lanes, k - p), left, of.b + p * of.b_ld, of.b_ld,
                             CopyNothing<T, NV>{}, sums);
  }
}

// c (M rows, NV vectors) = or += a b over k, as one chain per element.
template <class T, int M, int NV, bool ByRows, class Operands>
void micro_tile(std::size_t k, const Operands& of, T* c, std::size_t ldc, bool accumulate) {
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
  multiply_all<T, M, NV, ByRows>(k, of, sums);
#pragma GCC unroll 16
  for (std::size_t i = 0; i < M; ++i) {
#pragma GCC unroll 8
    for (std::size_t j = 0; j < NV; ++j) store(c + i * ldc + j * lanes, sums[i][j]);
  }
}

// The micro-kernel of m rows and n columns, 1 <= m <= tile_mr, 1 <= n <= nr; it computes whole
// vectors.
template <class T, bool ByRows, int M = tile_mr, int NV = tile_nv, class Operands>
inline void call_micro(std::size_t m, std::size_t n, std::size_t k, const Operands& of, T* c,
                       std::size_t ldc, bool accumulate) {
  if constexpr (M > 1) {
    if (m < M) {
      call_micro<T, ByRows, M - 1, NV>(m, n, k, of, c, ldc, accumulate);
      return;
    }
  }
  if constexpr (NV > 1) {
    if (n <= (NV - 1) * lanes_of<T>) {
      call_micro<T, ByRows, M, NV - 1>(m, n, k, of, c, ldc, accumulate);
      return;
    }
  }
  micro_tile<T, M, NV, ByRows>(k, of, c, ldc, accumulate);
}
