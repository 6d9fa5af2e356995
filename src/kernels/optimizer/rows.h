// The max-norm constraint by rows, over row_norm() and scale_row() of a table: a row is constrained
// right after its update, while it is in the cache.

inline void limit_norm(double max_norm, std::size_t n, float* row) {
  const double factor = norm_factor(row_norm(n, row), max_norm);
  if (factor != 0.0) scale_row(factor, n, row);
}

void limit_norms_f32(double max_norm, std::size_t rows, std::size_t cols, float* weights) {
  for (std::size_t r = 0; r < rows; ++r) limit_norm(max_norm, cols, weights + r * cols);
}

void sgd_rows_f32(const SgdParams& params, double max_norm, std::size_t rows, std::size_t cols,
                  const float* gradient, float* weights, float* momentum) {
  for (std::size_t r = 0; r < rows; ++r) {
    const std::size_t at = r * cols;
    sgd_f32(params, cols, gradient + at, weights + at,
            momentum == nullptr ? nullptr : momentum + at);
    limit_norm(max_norm, cols, weights + at);
  }
}

void adam_rows_f32(const AdamParams& params, double max_norm, std::size_t rows, std::size_t cols,
                   const float* gradient, float* weights, float* first, float* second) {
  for (std::size_t r = 0; r < rows; ++r) {
    const std::size_t at = r * cols;
    adam_f32(params, cols, gradient + at, weights + at, first + at, second + at);
    limit_norm(max_norm, cols, weights + at);
  }
}
