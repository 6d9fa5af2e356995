// The register-blocked micro-kernel of the matrix product, and the packing of its panels.

#if defined(SIMDROP_ISA_AVX512)
constexpr std::size_t gemm_mr = 14;
#elif defined(SIMDROP_ISA_AVX2)
constexpr std::size_t gemm_mr = 6;
#else
constexpr std::size_t gemm_mr = 8;
#endif
#if defined(SIMDROP_ISA_NEON)
constexpr std::size_t gemm_nv = 3;
#else
constexpr std::size_t gemm_nv = 2;
#endif
constexpr std::size_t gemm_nr = gemm_nv * lanes_f32;

// Copies a strided panel of `width` rows. Rows that are contiguous in k are read a cache line at a
// time, so that neither the lines read (which alias where the stride is a power of two) nor those
// written have to stay in L1 for long.
inline void pack_panel(std::size_t rows, std::size_t k, const float* src, std::size_t row_stride,
                       std::size_t k_stride, std::size_t width, float* dst) {
  if (rows < width) {
    for (std::size_t i = 0; i < width * k; ++i) dst[i] = 0.0F;
  }
  if (row_stride == 1 && rows == width && width % lanes_f32 == 0) {
    for (std::size_t p = 0; p < k; ++p) {
      const float* from = src + p * k_stride;
      for (std::size_t i = 0; i < width; i += lanes_f32) {
        store(dst + p * width + i, load(from + i));
      }
    }
    return;
  }
  if (row_stride == 1) {
    for (std::size_t p = 0; p < k; ++p) {
      for (std::size_t i = 0; i < rows; ++i) dst[p * width + i] = src[p * k_stride + i];
    }
    return;
  }
  constexpr std::size_t line = 16;
  for (std::size_t begin = 0; begin < k; begin += line) {
    const std::size_t end = smaller(k, begin + line);
    for (std::size_t i = 0; i < rows; ++i) {
      const float* from = src + i * row_stride;
      for (std::size_t p = begin; p < end; ++p) dst[p * width + i] = from[p * k_stride];
    }
  }
}

void gemm_pack_f32(std::size_t rows, std::size_t k, const float* src, std::size_t row_stride,
                   std::size_t k_stride, std::size_t width, float* dst) {
  for (std::size_t row = 0; row < rows; row += width) {
    pack_panel(smaller(rows - row, width), k, src + row * row_stride, row_stride, k_stride, width,
               dst);
    dst += width * k;
  }
}

inline void gemm_tile(std::size_t m, std::size_t n, std::size_t k, float alpha, const float* a,
                      const float* b, float* c, std::size_t ldc, bool accumulate) {
  VecF sums[gemm_mr][gemm_nv];
#pragma GCC unroll 16
  for (std::size_t i = 0; i < gemm_mr; ++i) {
#pragma GCC unroll 4
    for (std::size_t j = 0; j < gemm_nv; ++j) sums[i][j] = VecF(0.0F);
  }
  for (std::size_t p = 0; p < k; ++p, a += gemm_mr, b += gemm_nr) {
    VecF column[gemm_nv];
#pragma GCC unroll 4
    for (std::size_t j = 0; j < gemm_nv; ++j) column[j] = load(b + j * lanes_f32);
#pragma GCC unroll 16
    for (std::size_t i = 0; i < gemm_mr; ++i) {
      const VecF row(a[i]);
#pragma GCC unroll 4
      for (std::size_t j = 0; j < gemm_nv; ++j) sums[i][j] = mul_add(row, column[j], sums[i][j]);
    }
  }
  const VecF alpha_vec(alpha);
  if (m == gemm_mr && n == gemm_nr) {
#pragma GCC unroll 16
    for (std::size_t i = 0; i < gemm_mr; ++i) {
#pragma GCC unroll 4
      for (std::size_t j = 0; j < gemm_nv; ++j) {
        float* out = c + i * ldc + j * lanes_f32;
        const VecF value = alpha_vec * sums[i][j];
        store(out, accumulate ? load(out) + value : value);
      }
    }
    return;
  }
  float edge[gemm_mr][gemm_nr];
#pragma GCC unroll 16
  for (std::size_t i = 0; i < gemm_mr; ++i) {
#pragma GCC unroll 4
    for (std::size_t j = 0; j < gemm_nv; ++j) {
      store(&edge[i][j * lanes_f32], alpha_vec * sums[i][j]);
    }
  }
  for (std::size_t i = 0; i < m; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      c[i * ldc + j] = accumulate ? c[i * ldc + j] + edge[i][j] : edge[i][j];
    }
  }
}
