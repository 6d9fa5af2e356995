// NaN, infinities, -0 and denormals through the elementwise kernels of every table on float and
// double. For 16 bits, sixteen_bits.cpp has every input.
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "helpers/kernel_test.h"
#include "reference/dropout_reference.h"

namespace {

using simdrop::detail::KernelTable;

template <class T>
constexpr std::array<T, 16> specials() {
  using Limits = std::numeric_limits<T>;
  constexpr T denormal = Limits::min() * T(0.1875);
  return {Limits::quiet_NaN(),
          -Limits::quiet_NaN(),
          Limits::infinity(),
          -Limits::infinity(),
          T(0.0),
          T(-0.0),
          Limits::denorm_min(),
          -Limits::denorm_min(),
          denormal,
          -denormal,
          Limits::min(),
          -Limits::min(),
          Limits::max(),
          -Limits::max(),
          T(1.0),
          T(-1.0)};
}

template <class T>
bool is_plus_zero(T x) {
  return x == 0 && !std::signbit(x);
}

constexpr std::size_t element_count = 17 * 16 * 4 + 5;
const simdrop::detail::Shape2D one_row{1, element_count, element_count, element_count};

// Element i is special number i / stride.
template <class T>
std::vector<T> special_values(std::size_t stride) {
  std::vector<T> x(element_count);
  for (std::size_t i = 0; i < element_count; ++i) x[i] = specials<T>()[(i / stride) % 16];
  return x;
}

template <class T>
struct Specials {
  explicit Specials(double keep_prob)
      : spec{1, 2, 3, keep_prob, reference::Rule::dyadic, 10},
        bits(reference::mask(spec, element_count)),
        scale(reference::scale_of<T>(keep_prob)),
        x(element_count) {
    // Every special at every place of a vector: 17 elements a turn, so the places move by one.
    for (std::size_t i = 0; i < element_count; ++i) x[i] = specials<T>()[(i + i / 17) % 16];
  }
  [[nodiscard]] bool kept(std::size_t i) const { return ((bits[i / 8] >> (i % 8)) & 1) != 0; }

  reference::MaskSpec spec;
  std::vector<std::uint8_t> bits;
  T scale;
  std::vector<T> x;
};

constexpr std::array special_keep_probs{0.5, 0.9, 0.3, 1.0};

}  // namespace

TEST_SUITE("dropout") {
  TEST_CASE_TEMPLATE("dropout: dropped is +0 whatever the input, kept follows IEEE 754", T, float,
                     double) {
    for (const double keep_prob : special_keep_probs) {
      const Specials<T> s(keep_prob);
      CAPTURE(keep_prob);
      test::for_each_table([&](const KernelTable& table) {
        std::vector<T> y(element_count);
        test::kernels_of<T>(table).dropout(test::mask_source(s.spec), s.scale, one_row, s.x.data(),
                                           y.data(), nullptr);
        std::size_t wrong = 0;
        for (std::size_t i = 0; i < element_count; ++i) {
          const bool right =
              s.kept(i) ? test::same_element(y[i], s.x[i] * s.scale) : is_plus_zero(y[i]);
          wrong += right ? 0 : 1;
        }
        CHECK(wrong == 0);
      });
    }
  }
}

TEST_SUITE("bias_relu_dropout") {
  TEST_CASE_TEMPLATE("bias_relu_dropout: kept NaN stays NaN, -0 gives +0, denormals are kept", T,
                     float, double) {
    for (const double keep_prob : special_keep_probs) {
      const Specials<T> s(keep_prob);
      CAPTURE(keep_prob);
      test::for_each_table([&](const KernelTable& table) {
        std::vector<T> y(element_count), biased(element_count);
        test::kernels_of<T>(table).bias_relu_dropout(test::mask_source(s.spec), s.scale, one_row,
                                                     s.x.data(), nullptr, y.data(), nullptr);
        const std::vector<T> zeros(element_count, T(-0.0));  // x + -0 is x
        test::kernels_of<T>(table).bias_relu_dropout(test::mask_source(s.spec), s.scale, one_row,
                                                     s.x.data(), zeros.data(), biased.data(),
                                                     nullptr);
        std::size_t wrong = 0;
        for (std::size_t i = 0; i < element_count; ++i) {
          const T z = s.x[i];
          const bool passes = s.kept(i) && (std::isnan(z) || z > 0);
          const bool right = passes ? test::same_element(y[i], z * s.scale) : is_plus_zero(y[i]);
          wrong += right && test::same_element(y[i], biased[i]) ? 0 : 1;
        }
        CHECK(wrong == 0);
      });
    }
  }

  TEST_CASE_TEMPLATE("bias_relu_dropout: specials in the bias", T, float, double) {
    const Specials<T> s(0.75);
    const auto bias = special_values<T>(3);
    test::for_each_table([&](const KernelTable& table) {
      std::vector<T> y(element_count);
      test::kernels_of<T>(table).bias_relu_dropout(test::mask_source(s.spec), s.scale, one_row,
                                                   s.x.data(), bias.data(), y.data(), nullptr);
      std::size_t wrong = 0;
      for (std::size_t i = 0; i < element_count; ++i) {
        const T want =
            reference::bias_relu_dropout_as_documented(s.x[i], bias[i], s.kept(i), s.scale);
        wrong += test::same_element(y[i], want) ? 0 : 1;
      }
      CHECK(wrong == 0);
    });
  }
}

TEST_SUITE("relu_dropout_backward") {
  TEST_CASE_TEMPLATE("relu_dropout_backward: y NaN, -0 or 0 gives +0, else dy follows IEEE 754", T,
                     float, double) {
    const Specials<T> s(0.3);
    const auto dy = special_values<T>(5);
    test::for_each_table([&](const KernelTable& table) {
      std::vector<T> dx(element_count);
      test::kernels_of<T>(table).relu_dropout_backward(s.scale, one_row, s.x.data(), dy.data(),
                                                       element_count, dx.data());
      std::size_t wrong = 0;
      for (std::size_t i = 0; i < element_count; ++i) {
        const bool passes = s.x[i] > 0;
        const bool right =
            passes ? test::same_element(dx[i], dy[i] * s.scale) : is_plus_zero(dx[i]);
        wrong += right ? 0 : 1;
      }
      CHECK(wrong == 0);
    });
  }
}
