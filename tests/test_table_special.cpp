// NaN, infinities, -0 and denormals through the elementwise kernels of every table.
#include <doctest/doctest.h>

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "compare.h"
#include "dropout_reference.h"
#include "tables.h"

namespace {

using simdrop::detail::KernelTable;
using Limits = std::numeric_limits<float>;

constexpr std::array<float, 16> kSpecials{Limits::quiet_NaN(),
                                          -Limits::quiet_NaN(),
                                          Limits::infinity(),
                                          -Limits::infinity(),
                                          0.0F,
                                          -0.0F,
                                          Limits::denorm_min(),
                                          -Limits::denorm_min(),
                                          0x1.8p-130F,
                                          -0x1.8p-130F,
                                          Limits::min(),
                                          -Limits::min(),
                                          Limits::max(),
                                          -Limits::max(),
                                          1.0F,
                                          -1.0F};

bool is_plus_zero(float x) {
  return std::bit_cast<std::uint32_t>(x) == 0;
}

// Every special at every place of a vector: 17 elements a turn, so the places move by one.
std::vector<float> special_values(std::size_t n) {
  std::vector<float> x(n);
  for (std::size_t i = 0; i < n; ++i) x[i] = kSpecials[(i + i / 17) % kSpecials.size()];
  return x;
}

constexpr std::size_t kCount = 17 * 16 * 4 + 5;
const simdrop::detail::Shape2D kShape{1, kCount, kCount, kCount};

struct Specials {
  explicit Specials(double keep_prob)
      : spec{1, 2, 3, keep_prob, reference::Rule::dyadic, 10},
        bits(reference::mask(spec, kCount)),
        scale(reference::scale_of(keep_prob)) {}
  [[nodiscard]] bool kept(std::size_t i) const { return ((bits[i / 8] >> (i % 8)) & 1) != 0; }

  reference::MaskSpec spec;
  std::vector<std::uint8_t> bits;
  float scale;
  std::vector<float> x = special_values(kCount);
};

constexpr std::array kSpecialKeepProbs{0.5, 0.9, 0.3, 1.0};

}  // namespace

TEST_SUITE("dropout tables") {
  TEST_CASE("dropout: dropped is +0 whatever the input, kept follows IEEE 754") {
    for (const double keep_prob : kSpecialKeepProbs) {
      const Specials s(keep_prob);
      CAPTURE(keep_prob);
      test::for_each_table([&](const KernelTable& table) {
        std::vector<float> y(kCount);
        table.f32.dropout(test::mask_source(s.spec), s.scale, kShape, s.x.data(), y.data(),
                          nullptr);
        std::size_t wrong = 0;
        for (std::size_t i = 0; i < kCount; ++i) {
          const bool right =
              s.kept(i) ? test::same_float(y[i], s.x[i] * s.scale) : is_plus_zero(y[i]);
          wrong += right ? 0 : 1;
        }
        CHECK(wrong == 0);
      });
    }
  }

  TEST_CASE("bias_relu_dropout: kept NaN stays NaN, -0 gives +0, denormals are kept") {
    for (const double keep_prob : kSpecialKeepProbs) {
      const Specials s(keep_prob);
      CAPTURE(keep_prob);
      test::for_each_table([&](const KernelTable& table) {
        std::vector<float> y(kCount), biased(kCount);
        table.f32.bias_relu_dropout(test::mask_source(s.spec), s.scale, kShape, s.x.data(), nullptr,
                                    y.data(), nullptr);
        const std::vector<float> zeros(kCount, -0.0F);  // x + -0 is x
        table.f32.bias_relu_dropout(test::mask_source(s.spec), s.scale, kShape, s.x.data(),
                                    zeros.data(), biased.data(), nullptr);
        std::size_t wrong = 0;
        for (std::size_t i = 0; i < kCount; ++i) {
          const float z = s.x[i];
          const bool passes = s.kept(i) && (std::isnan(z) || z > 0.0F);
          const bool right = passes ? test::same_float(y[i], z * s.scale) : is_plus_zero(y[i]);
          wrong += right && test::same_float(y[i], biased[i]) ? 0 : 1;
        }
        CHECK(wrong == 0);
      });
    }
  }

  TEST_CASE("bias_relu_dropout: specials in the bias") {
    const Specials s(0.75);
    std::vector<float> bias(kCount);
    for (std::size_t i = 0; i < kCount; ++i) bias[i] = kSpecials[(i / 3) % kSpecials.size()];
    test::for_each_table([&](const KernelTable& table) {
      std::vector<float> y(kCount);
      table.f32.bias_relu_dropout(test::mask_source(s.spec), s.scale, kShape, s.x.data(),
                                  bias.data(), y.data(), nullptr);
      std::size_t wrong = 0;
      for (std::size_t i = 0; i < kCount; ++i) {
        const float want =
            reference::bias_relu_dropout_as_documented(s.x[i], bias[i], s.kept(i), s.scale);
        wrong += test::same_float(y[i], want) ? 0 : 1;
      }
      CHECK(wrong == 0);
    });
  }

  TEST_CASE("relu_dropout_backward: y NaN, -0 or 0 gives +0, else dy follows IEEE 754") {
    const Specials s(0.3);
    std::vector<float> dy(kCount);
    for (std::size_t i = 0; i < kCount; ++i) dy[i] = kSpecials[(i / 5) % kSpecials.size()];
    test::for_each_table([&](const KernelTable& table) {
      std::vector<float> dx(kCount);
      table.f32.relu_dropout_backward(s.scale, kShape, s.x.data(), dy.data(), kCount, dx.data());
      std::size_t wrong = 0;
      for (std::size_t i = 0; i < kCount; ++i) {
        const bool passes = s.x[i] > 0.0F;
        const bool right = passes ? test::same_float(dx[i], dy[i] * s.scale) : is_plus_zero(dx[i]);
        wrong += right ? 0 : 1;
      }
      CHECK(wrong == 0);
    });
  }
}
