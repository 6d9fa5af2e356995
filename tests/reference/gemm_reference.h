// Matrix product and column sum as plain loops in double; shares no code with src.
#pragma once

#include <cstddef>

namespace reference {

// A strided matrix: element (i, j) is data[i * row_stride + j * col_stride].
struct Strided {
  const float* data;
  std::size_t row_stride;
  std::size_t col_stride;
};

struct Bounded {
  double value;
  double magnitude;  // sum of absolute values: what rounding errors scale with
};

// Sum over p of a(i, p) * b(p, j).
Bounded dot(const Strided& a, const Strided& b, std::size_t i, std::size_t j, std::size_t k);

// Sum over r < rows of x(r, c).
Bounded column_sum(const Strided& x, std::size_t c, std::size_t rows);

}  // namespace reference
