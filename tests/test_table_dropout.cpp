// dropout_f32 and bias_relu_dropout_f32 of every table: equal bit for bit to the documented float
// operations, which in turn are close to the textbook's formulas in double.
#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "dropout_reference.h"
#include "elementwise_sweep.h"

namespace {

using simdrop::detail::KernelTable;
using test::ElementwiseCase;
using test::Placed;

// keep_prob 0 divides by 0, and nothing is kept: the scale is not used then.
float scale_for(const ElementwiseCase& c) {
  return c.mask.keep_prob == 0.0 ? 0.0F : reference::scale_of(c.mask.keep_prob);
}

// x * scale against x / keep_prob: one rounding for scale and one for the product.
bool close_to_textbook(float got, double want, std::size_t roundings) {
  const double got_wide = static_cast<double>(got);
  const double bound = test::gamma_bound(roundings) * (1.0 + 0x1p-40) * std::fabs(want);
  return std::fabs(got_wide - want) <= bound;
}

struct Inputs {
  std::vector<float> x;
  std::vector<float> bias;
};

Inputs inputs_of(const ElementwiseCase& c) {
  static const std::vector<float> pool = test::random_floats(test::Buffers::kFloats, 21);
  static const std::vector<float> bias_pool = test::random_floats(test::Buffers::kFloats, 22);
  const auto take = [](const std::vector<float>& from, std::size_t n) {
    return std::vector<float>(from.begin(), from.begin() + static_cast<std::ptrdiff_t>(n));
  };
  Inputs inputs{take(pool, test::extent(c.rows, c.cols, c.shape().ld_in)),
                take(bias_pool, c.with_bias ? c.cols : 0)};
  return inputs;
}

void check_dropout(const ElementwiseCase& c, test::Buffers& buffers) {
  const Inputs inputs = inputs_of(c);
  const test::MaskBits bits = test::mask_bits(c);
  const float scale = scale_for(c);
  std::size_t far_from_textbook = 0;
  const auto want =
      test::expected_output(c, inputs.x, [&](std::size_t row, std::size_t col, float x) {
        const bool kept = test::bit_at(bits.expected, row * c.cols + col);
        const float y = reference::dropout_as_documented(x, kept, scale);
        const double exact = reference::dropout(static_cast<double>(x), kept, c.mask.keep_prob);
        far_from_textbook += close_to_textbook(y, exact, 2) ? 0 : 1;
        return y;
      });
  CHECK(far_from_textbook == 0);
  test::run_on_tables(c, buffers, inputs.x, {}, bits, want,
                      [&](const KernelTable& table, const Placed& at) {
                        table.f32.dropout(at.mask, scale, c.shape(), at.x, at.y, at.bits_out);
                      });
}

void check_bias_relu_dropout(const ElementwiseCase& c, test::Buffers& buffers) {
  const Inputs inputs = inputs_of(c);
  const test::MaskBits bits = test::mask_bits(c);
  const float scale = scale_for(c);
  std::size_t far_from_textbook = 0;
  const auto want =
      test::expected_output(c, inputs.x, [&](std::size_t row, std::size_t col, float x) {
        const bool kept = test::bit_at(bits.expected, row * c.cols + col);
        const float bias = c.with_bias ? inputs.bias[col] : 0.0F;
        const float y = reference::bias_relu_dropout_as_documented(x, bias, kept, scale);
        const double exact = reference::bias_relu_dropout(
            static_cast<double>(x), static_cast<double>(bias), kept, c.mask.keep_prob);
        far_from_textbook += close_to_textbook(y, exact, 3) ? 0 : 1;
        return y;
      });
  CHECK(far_from_textbook == 0);
  test::run_on_tables(c, buffers, inputs.x, inputs.bias, bits, want,
                      [&](const KernelTable& table, const Placed& at) {
                        table.f32.bias_relu_dropout(at.mask, scale, c.shape(), at.x, at.bias, at.y,
                                                    at.bits_out);
                      });
}

}  // namespace

TEST_SUITE("dropout tables") {
  TEST_CASE("dropout_f32 against the oracle") {
    test::Buffers buffers;
    test::sweep_all([&](const ElementwiseCase& c) { check_dropout(c, buffers); });
  }

  TEST_CASE("bias_relu_dropout_f32 against the oracle") {
    test::Buffers buffers;
    test::sweep_all([&](const ElementwiseCase& c) { check_bias_relu_dropout(c, buffers); });
  }
}
