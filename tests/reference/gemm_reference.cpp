#include "reference/gemm_reference.h"

#include <cmath>

namespace reference {

namespace {

double at(const Strided& m, std::size_t i, std::size_t j) {
  return static_cast<double>(m.data[i * m.row_stride + j * m.col_stride]);
}

}  // namespace

Bounded dot(const Strided& a, const Strided& b, std::size_t i, std::size_t j, std::size_t k) {
  Bounded sum{0.0, 0.0};
  for (std::size_t p = 0; p < k; ++p) {
    const double product = at(a, i, p) * at(b, p, j);
    sum.value += product;
    sum.magnitude += std::fabs(product);
  }
  return sum;
}

Bounded column_sum(const Strided& x, std::size_t c, std::size_t rows) {
  Bounded sum{0.0, 0.0};
  for (std::size_t r = 0; r < rows; ++r) {
    sum.value += at(x, r, c);
    sum.magnitude += std::fabs(at(x, r, c));
  }
  return sum;
}

}  // namespace reference
