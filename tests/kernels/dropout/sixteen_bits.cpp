// Every bfloat16 and float16 input, and every place where a float rounds to another one of them,
// through the kernels of every table, against the oracle.
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "helpers/elementwise.h"
#include "helpers/kernel_test.h"
#include "reference/dropout_reference.h"

namespace {

using simdrop::detail::KernelTable;
using simdrop::detail::MaskSource;
using simdrop::detail::Shape2D;
using test::narrow;
using test::widen;

constexpr std::size_t input_count = 1 << 16;

template <class T>
std::vector<T> every_input() {
  std::vector<T> x(input_count);
  for (std::size_t i = 0; i < input_count; ++i) x[i].bits = static_cast<std::uint16_t>(i);
  return x;
}

template <class T, class Element>
std::vector<T> expected(const std::vector<T>& x, Element element) {
  std::vector<T> y(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) y[i] = narrow<T>(element(i, widen(x[i])));
  return y;
}

// Factors that round nothing, that make ties in one format or the other, subnormals, and overflow.
constexpr float factors[] = {1.0F,
                             -1.0F,
                             0.5F,
                             1.0F + 0x1p-7F,
                             1.0F + 0x1p-8F,
                             1.0F + 0x1p-9F,
                             1.0F + 0x1p-11F,
                             1.0F + 0x1p-12F,
                             1.5F,
                             0x1p-10F,
                             0x1.8p-12F,
                             0x1p-130F,
                             0x1p120F,
                             1.0F / 0.9F,
                             1.0F / 0.3F,
                             0.0F,
                             std::numeric_limits<float>::infinity()};

// All kept, but for a factor. A NaN passes with its quiet bit set; everything else passes unchanged
// at factor 1.
const reference::MaskSpec all_kept{.keep_prob = 1.0};

template <class T>
void check_scaling() {
  const auto x = every_input<T>();
  for (const float factor : factors) {
    const auto want = expected<T>(x, [factor](std::size_t, float v) { return v * factor; });
    CAPTURE(factor);
    test::for_each_table([&](const KernelTable& table) {
      std::vector<T> y(input_count);
      const Shape2D shape{1, input_count, input_count, input_count};
      test::kernels_of<T>(table).dropout(test::mask_source(all_kept), factor, shape, x.data(),
                                         y.data(), nullptr);
      CHECK(test::first_difference(y, want) == test::no_difference);
    });
  }
}

template <class T>
void check_dropout() {
  const auto x = every_input<T>();
  for (const double keep_prob : {1.0, 0.5, 0.75, 0.9}) {
    const reference::MaskSpec spec{3, 1, 4, keep_prob, reference::Rule::dyadic, 10};
    const auto bits = reference::mask(spec, input_count);
    const float scale = reference::scale_of(keep_prob);
    const auto want = expected<T>(x, [&](std::size_t i, float v) {
      return reference::dropout_as_documented(v, test::bit_at(bits, i), scale);
    });
    CAPTURE(keep_prob);
    test::for_each_table_and_store([&](const KernelTable& table, bool streaming) {
      std::vector<T> y(input_count);
      const Shape2D shape{1, input_count, input_count, input_count, streaming};
      test::kernels_of<T>(table).dropout(test::mask_source(spec), scale, shape, x.data(), y.data(),
                                         nullptr);
      CHECK(test::first_difference(y, want) == test::no_difference);
    });
  }
}

// Biases of all magnitudes: with most, z = x + bias has more bits than x, and is rounded twice.
template <class T>
void check_bias_relu_dropout() {
  const auto x = every_input<T>();
  std::vector<T> bias(input_count);
  for (std::size_t i = 0; i < input_count; ++i) {
    bias[i].bits = static_cast<std::uint16_t>((i + i / 256) * 40503U);
  }
  for (const double keep_prob : {1.0, 0.5, 0.9}) {
    const reference::MaskSpec spec{2, 7, 1, keep_prob, reference::Rule::dyadic, 10};
    const auto bits = reference::mask(spec, input_count);
    const float scale = reference::scale_of(keep_prob);
    const auto want = [&](bool with_bias) {
      return expected<T>(x, [&](std::size_t i, float v) {
        return reference::bias_relu_dropout_as_documented(v, with_bias ? widen(bias[i]) : 0.0F,
                                                          test::bit_at(bits, i), scale);
      });
    };
    const std::vector<T> wants[2] = {want(false), want(true)};
    CAPTURE(keep_prob);
    test::for_each_table_and_store([&](const KernelTable& table, bool streaming) {
      const Shape2D shape{1, input_count, input_count, input_count, streaming};
      for (const bool with_bias : {false, true}) {
        std::vector<T> y(input_count);
        test::kernels_of<T>(table).bias_relu_dropout(test::mask_source(spec), scale, shape,
                                                     x.data(), with_bias ? bias.data() : nullptr,
                                                     y.data(), nullptr);
        CAPTURE(with_bias);
        CHECK(test::first_difference(y, wants[with_bias ? 1 : 0]) == test::no_difference);
      }
    });
  }
}

template <class T>
void check_relu_dropout_backward() {
  const auto y = every_input<T>();
  const std::vector<T> dy(y.rbegin(), y.rend());
  for (const float scale : factors) {
    const auto want = expected<T>(y, [&](std::size_t i, float v) {
      return reference::relu_dropout_backward_as_documented(v, widen(dy[i]), scale);
    });
    CAPTURE(scale);
    test::for_each_table_and_store([&](const KernelTable& table, bool streaming) {
      std::vector<T> dx(input_count);
      const Shape2D shape{1, input_count, input_count, input_count, streaming};
      test::kernels_of<T>(table).relu_dropout_backward(scale, shape, y.data(), dy.data(),
                                                       input_count, dx.data());
      CHECK(test::first_difference(dx, want) == test::no_difference);
    });
  }
}

// Runs of call(table, factor, ones, y), which is to give 1 * factor: any float comes before the
// rounding of a store. Lengths that take whole vectors, and single elements behind them.
template <class T>
struct Rounding {
  static constexpr std::size_t n = 32 + 5;
  std::vector<T> ones = std::vector<T>(n, narrow<T>(1.0F));
  std::vector<T> y = std::vector<T>(n);
  std::size_t checked = 0;
  std::size_t wrong = 0;
  float first_wrong = 0.0F;

  template <class Call>
  void check(const KernelTable& table, float value, Call call) {
    const T want = narrow<T>(value);
    call(test::kernels_of<T>(table), value, ones.data(), y.data());
    for (T& got : y) {
      ++checked;
      if (!test::same_element(got, want)) {
        if (wrong == 0) first_wrong = value;
        ++wrong;
      }
      got = T{0x5A5A};
    }
  }
};

// Every number of the format, the float halfway to the next one, and the two floats beside that.
template <class T, class Call>
void check_rounding(Call call) {
  constexpr auto format = test::format_of<T>;
  const auto value = [=](unsigned bits) {
    return bits == format.infinity()
               ? std::ldexp(1.0, format.bias() + 1)
               : reference::value_of(format, static_cast<std::uint16_t>(bits));
  };
  test::for_each_table([&](const KernelTable& table) {
    Rounding<T> rounding;
    const auto both_signs = [&](float x) {
      rounding.check(table, x, call);
      rounding.check(table, -x, call);
    };
    for (unsigned bits = 0; bits < format.infinity(); ++bits) {
      const auto middle = static_cast<float>((value(bits) + value(bits + 1)) / 2);
      both_signs(static_cast<float>(value(bits)));
      both_signs(std::nextafter(middle, 0.0F));
      both_signs(middle);
      both_signs(std::nextafter(middle, std::numeric_limits<float>::infinity()));
    }
    for (const float x :
         {std::numeric_limits<float>::max(), std::numeric_limits<float>::infinity(),
          std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::signaling_NaN(),
          std::numeric_limits<float>::denorm_min()}) {
      both_signs(x);
    }
    INFO("first wrong: ", rounding.first_wrong);
    CHECK(rounding.wrong == 0);
    CHECK(rounding.checked == (std::size_t{format.infinity()} * 8 + 10) * Rounding<T>::n);
  });
}

}  // namespace

TEST_SUITE("dropout") {
  TEST_CASE_TEMPLATE("every input by a factor", T, test::bfloat16, test::float16) {
    check_scaling<T>();
  }

  TEST_CASE_TEMPLATE("every tie and the floats beside it by a factor", T, test::bfloat16,
                     test::float16) {
    const Shape2D shape{1, Rounding<T>::n, Rounding<T>::n, Rounding<T>::n};
    const MaskSource source = test::mask_source(all_kept);
    check_rounding<T>([&](const auto& kernels, float factor, const T* ones, T* y) {
      kernels.dropout(source, factor, shape, ones, y, nullptr);
    });
  }

  TEST_CASE_TEMPLATE("every input through dropout", T, test::bfloat16, test::float16) {
    check_dropout<T>();
  }
}

TEST_SUITE("bias_relu_dropout") {
  TEST_CASE_TEMPLATE("every input through bias_relu_dropout", T, test::bfloat16, test::float16) {
    check_bias_relu_dropout<T>();
  }
}

TEST_SUITE("relu_dropout_backward") {
  TEST_CASE_TEMPLATE("every input through relu_dropout_backward", T, test::bfloat16,
                     test::float16) {
    check_relu_dropout_backward<T>();
  }

  TEST_CASE_TEMPLATE("every tie and the floats beside it through relu_dropout_backward", T,
                     test::bfloat16, test::float16) {
    check_rounding<T>([](const auto& kernels, float factor, const T* ones, T* y) {
      constexpr std::size_t n = Rounding<T>::n;
      kernels.relu_dropout_backward(factor, Shape2D{1, n, n, n, true}, ones, ones, n, y);
    });
  }
}
