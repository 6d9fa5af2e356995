// dropout and bias_relu_dropout of every table and type: equal bit for bit to the documented
// operations, which in turn are close to the textbook's formulas.
#include <vector>

#include "helpers/elementwise_sweep.h"
#include "helpers/kernel_test.h"
#include "reference/dropout_reference.h"

namespace {

using test::ElementwiseCase;
using test::widen;

// keep_prob 0 divides by 0, and nothing is kept: the scale is not used then.
template <class T>
test::Arithmetic<T> scale_for(const ElementwiseCase& c) {
  return c.mask.keep_prob == 0.0 ? 0 : reference::scale_of<test::Arithmetic<T>>(c.mask.keep_prob);
}

template <class T>
struct Inputs {
  std::vector<T> x;
  std::vector<T> bias;
};

template <class T>
Inputs<T> inputs_of(const ElementwiseCase& c) {
  static const std::vector<T> pool = test::random_elements<T>(test::max_elements, 21);
  static const std::vector<T> bias_pool = test::random_elements<T>(test::max_elements, 22);
  const auto take = [](const std::vector<T>& from, std::size_t n) {
    return std::vector<T>(from.begin(), from.begin() + static_cast<std::ptrdiff_t>(n));
  };
  return {take(pool, test::extent(c.rows, c.cols, c.shape().ld_in)),
          take(bias_pool, c.with_bias ? c.cols : 0)};
}

template <class T>
void check_dropout(const ElementwiseCase& c, test::Buffers<T>& buffers) {
  using W = test::Textbook<T>;
  const Inputs<T> inputs = inputs_of<T>(c);
  const test::MaskBits bits = test::mask_bits(c);
  const auto scale = scale_for<T>(c);
  std::size_t far_from_textbook = 0;
  const auto want =
      test::expected_output<T>(c, inputs.x, [&](std::size_t row, std::size_t col, T element) {
        const auto x = widen(element);
        const bool kept = test::bit_at(bits.expected, row * c.cols + col);
        const auto y = reference::dropout_as_documented(x, kept, scale);
        const W exact = reference::dropout(W{x}, kept, c.mask.keep_prob);
        far_from_textbook += test::close_to_textbook(y, exact, 2) ? 0 : 1;
        return test::narrow<T>(y);
      });
  CHECK(far_from_textbook == 0);
  test::run_on_tables<T>(c, buffers, inputs.x, {}, bits, want,
                         [&](const auto& kernels, const test::Placed<T>& at) {
                           kernels.dropout(at.mask, scale, at.shape, at.x, at.y, at.bits_out);
                         });
}

template <class T>
void check_bias_relu_dropout(const ElementwiseCase& c, test::Buffers<T>& buffers) {
  using W = test::Textbook<T>;
  const Inputs<T> inputs = inputs_of<T>(c);
  const test::MaskBits bits = test::mask_bits(c);
  const auto scale = scale_for<T>(c);
  std::size_t far_from_textbook = 0;
  const auto want =
      test::expected_output<T>(c, inputs.x, [&](std::size_t row, std::size_t col, T element) {
        const auto x = widen(element);
        const bool kept = test::bit_at(bits.expected, row * c.cols + col);
        const auto bias = c.with_bias ? widen(inputs.bias[col]) : 0;
        const auto y = reference::bias_relu_dropout_as_documented(x, bias, kept, scale);
        const W exact = reference::bias_relu_dropout(W{x}, W{bias}, kept, c.mask.keep_prob);
        far_from_textbook += test::close_to_textbook(y, exact, 3) ? 0 : 1;
        return test::narrow<T>(y);
      });
  CHECK(far_from_textbook == 0);
  test::run_on_tables<T>(c, buffers, inputs.x, inputs.bias, bits, want,
                         [&](const auto& kernels, const test::Placed<T>& at) {
                           kernels.bias_relu_dropout(at.mask, scale, at.shape, at.x, at.bias, at.y,
                                                     at.bits_out);
                         });
}

}  // namespace

TEST_SUITE("dropout") {
  TEST_CASE_TEMPLATE("dropout against the oracle", T, float, double, test::bfloat16,
                     test::float16) {
    test::Buffers<T> buffers;
    test::sweep_all([&](const ElementwiseCase& c) { check_dropout<T>(c, buffers); });
  }
}

TEST_SUITE("bias_relu_dropout") {
  TEST_CASE_TEMPLATE("bias_relu_dropout against the oracle", T, float, double, test::bfloat16,
                     test::float16) {
    test::Buffers<T> buffers;
    test::sweep_all([&](const ElementwiseCase& c) { check_bias_relu_dropout<T>(c, buffers); });
  }
}
