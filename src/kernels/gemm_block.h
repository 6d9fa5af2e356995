// Walks the micro-tiles of a packed block. Included inside an anonymous namespace after gemm_mr,
// gemm_nr and gemm_tile(); one column panel stays in L1 while the row panels pass.
void gemm_block_f32(std::size_t m, std::size_t n, std::size_t k, float alpha, const float* a,
                    std::size_t a_stride, const float* b, std::size_t b_stride, float* c,
                    std::size_t ldc, bool accumulate) {
  for (std::size_t j = 0; j < n; j += gemm_nr, b += b_stride) {
    const float* a_panel = a;
    for (std::size_t i = 0; i < m; i += gemm_mr, a_panel += a_stride) {
      gemm_tile(smaller(m - i, gemm_mr), smaller(n - j, gemm_nr), k, alpha, a_panel, b,
                c + i * ldc + j, ldc, accumulate);
    }
  }
}
