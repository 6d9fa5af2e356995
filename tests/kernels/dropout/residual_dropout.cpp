// residual_dropout of every table and type, equal bit for bit to the documented operations.
#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include "helpers/elementwise_sweep.h"
#include "helpers/kernel_test.h"
#include "reference/dropout_reference.h"

namespace {

using test::ElementwiseCase;
using test::widen;

// Where a residual begins in the elements that all take theirs from; rows are `ld` apart.
template <class T>
std::vector<T> residual_of(const ElementwiseCase& c, std::size_t ld) {
  static const std::vector<T> pool = test::random_elements<T>(2 * test::max_elements, 24);
  const auto n = static_cast<std::ptrdiff_t>(test::extent(c.rows, c.cols, ld));
  return {pool.begin(), pool.begin() + n};
}

template <class T>
void check(const ElementwiseCase& c, test::Buffers<T>& buffers) {
  static const std::vector<T> pool = test::random_elements<T>(test::max_elements, 23);
  const std::span<const T> x(pool.data(), test::extent(c.rows, c.cols, c.shape().ld_in));
  const std::size_t ld = c.cols + c.offset_out % 3;
  const std::vector<T> residual = residual_of<T>(c, ld);
  const test::MaskBits bits = test::mask_bits(c);
  using A = test::Arithmetic<T>;
  const A scale = c.mask.keep_prob == 0.0 ? 0 : reference::scale_of<A>(c.mask.keep_prob);
  const auto want =
      test::expected_output<T>(c, x, [&](std::size_t row, std::size_t col, T element) {
        const bool kept = test::bit_at(bits.expected, row * c.cols + col);
        return test::narrow<T>(reference::residual_dropout_as_documented(
            widen(residual[row * ld + col]), widen(element), kept, scale));
      });
  test::run_on_tables<T>(
      c, buffers, x, {}, bits, want, [&](const auto& kernels, const test::Placed<T>& at) {
        const auto placed = buffers.other.place(residual, c.edge_in, c.offset_in);
        kernels.residual_dropout(at.mask, scale, at.shape, at.x, placed.data(), ld, at.y,
                                 at.bits_out);
        CHECK(test::first_different_element<T>(placed, residual) == test::no_difference);
      });
}

// Values that a product by 0 or an addition in another order would lose.
template <class T>
void check_special_values() {
  const float inf = std::numeric_limits<float>::infinity();
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> values{0.0F, -0.0F, 1.5F, inf, -inf, nan};
  std::vector<T> x, residual;
  for (const float v : values) {
    for (const float r : values) {
      x.push_back(test::narrow<T>(v));
      residual.push_back(test::narrow<T>(r));
    }
  }
  const std::size_t n = x.size();
  for (const double keep_prob : {0.0, 0.5, 1.0}) {
    const reference::MaskSpec spec{5, 6, 7, keep_prob, reference::Rule::dyadic, 10};
    const auto bits = reference::mask(spec, n);
    test::for_each_table([&](const simdrop::detail::KernelTable& table) {
      std::vector<T> y(n);
      test::kernels_of<T>(table).residual_dropout(test::mask_source(spec), 2, {1, n, n, n},
                                                  x.data(), residual.data(), n, y.data(), nullptr);
      for (std::size_t i = 0; i < n; ++i) {
        CAPTURE(i);
        using A = test::Arithmetic<T>;
        const T want = test::narrow<T>(reference::residual_dropout_as_documented(
            widen(residual[i]), widen(x[i]), test::bit_at(bits, i), A{2}));
        CHECK(test::same_element(y[i], want));
      }
    });
  }
}

}  // namespace

TEST_SUITE("residual_dropout") {
  TEST_CASE_TEMPLATE("residual_dropout against the oracle", T, float, double, test::bfloat16,
                     test::float16) {
    test::Buffers<T> buffers;
    test::sweep_all([&](const ElementwiseCase& c) { check<T>(c, buffers); });
  }

  TEST_CASE_TEMPLATE("residual_dropout of zeros, infinities and NaN", T, float, double,
                     test::bfloat16, test::float16) {
    check_special_values<T>();
  }
}
