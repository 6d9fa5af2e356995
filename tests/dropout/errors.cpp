// Misuse of the public dropout functions: std::invalid_argument that names the argument, and
// outputs untouched.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "helpers/compare.h"
#include "helpers/expect_invalid.h"
#include "simdrop/dropout.hpp"

namespace {

using simdrop::ConstMatrix;
using simdrop::Dropout;
using simdrop::Matrix;
using test::expect_invalid;

constexpr double quiet_nan = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

// A 4 x 6 problem whose outputs must keep their first values.
struct Fixture {
  std::vector<float> x = test::random_floats(40, 1);
  std::vector<float> y = std::vector<float>(40, 3.5F);
  std::vector<float> bias = std::vector<float>(6, 0.5F);
  std::vector<std::uint8_t> mask = std::vector<std::uint8_t>(3, 0x3C);
  Dropout half{.keep_prob = 0.5};

  [[nodiscard]] ConstMatrix in() const { return {x.data(), 4, 6}; }
  [[nodiscard]] Matrix out() { return {y.data(), 4, 6}; }
  [[nodiscard]] std::span<std::uint8_t> bits() { return mask; }
  [[nodiscard]] std::span<std::uint8_t> short_bits() { return bits().first(2); }

  void check_untouched() const {
    CHECK(y == std::vector<float>(40, 3.5F));
    CHECK(mask == std::vector<std::uint8_t>(3, 0x3C));
  }
};

struct BadProb {
  double value;
  std::string_view text;
};
constexpr BadProb bad_keep_probs[] = {
    {quiet_nan, "nan"}, {-0.1, "-0.1"}, {1.5, "1.5"}, {infinity, "inf"}, {-infinity, "-inf"}};

// call(in, in_name, out, out_name) must refuse matrices that do not fit each other.
template <class Call>
void check_shapes(Fixture& f, std::string_view in_name, std::string_view out_name, Call call) {
  const auto fails = [&](std::string_view name, std::string_view value, ConstMatrix in,
                         Matrix out) { expect_invalid(name, value, [&] { call(in, out); }); };
  fails(out_name, "3", f.in(), {f.y.data(), 3, 6});
  fails(out_name, "7", f.in(), {f.y.data(), 4, 7});
  fails(out_name, "24", f.in(), {f.y.data(), 1, 24});
  fails(out_name, "5", f.in(), {f.y.data(), 4, 6, 5});
  fails(in_name, "5", {f.x.data(), 4, 6, 5}, f.out());
  fails(in_name, "0", {f.x.data(), 4, 6, 0}, f.out());
  fails(in_name, "null", {nullptr, 4, 6}, f.out());
  fails(out_name, "null", f.in(), {nullptr, 4, 6});
  f.check_untouched();
}

// The same checks behind the overloads of another type.
template <class T>
void check_type() {
  std::vector<T> x(24), y(24);
  const std::vector<T> few(5);
  const std::vector<std::uint8_t> bits(3), short_bits(2);
  const simdrop::MatrixView<const T> in(x.data(), 4, 6);
  const simdrop::MatrixView<T> out(y.data(), 4, 6), narrow_out(y.data(), 4, 5);
  const Dropout half{.keep_prob = 0.5}, bad{.keep_prob = 2.0};
  expect_invalid("y shape", "4 x 5", [&] { simdrop::dropout_forward(half, in, narrow_out); });
  expect_invalid("keep_prob", "2", [&] { simdrop::dropout_backward(bad, in, out); });
  expect_invalid("mask", "2", [&] { simdrop::dropout_backward(0.5, short_bits, in, out); });
  expect_invalid("bias", "5", [&] { simdrop::bias_relu_dropout_forward(half, in, few, out); });
  expect_invalid("threads.count", "-1",
                 [&] { simdrop::bias_relu_dropout_forward(0.5, bits, in, {}, out, -1); });
  expect_invalid("dy shape", "4 x 5",
                 [&] { simdrop::relu_dropout_backward(0.5, in, narrow_out, out); });
  // The largest count of elements depends on their size.
  const std::size_t too_many = ~std::size_t{0} / sizeof(T) / 8 + 1;
  const simdrop::MatrixView<const T> huge(x.data(), too_many, 8);
  expect_invalid("dy.rows", std::to_string(too_many), [&] {
    simdrop::dropout_backward(half, huge, simdrop::MatrixView<T>(y.data(), too_many, 8));
  });
}

}  // namespace

TEST_SUITE("dropout errors") {
  TEST_CASE("residual_dropout_forward") {
    Fixture f;
    const auto residual = test::random_floats(40, 2);
    const ConstMatrix add(residual.data(), 4, 6);
    const auto bad_stores = static_cast<simdrop::Stores>(3);
    // Drawn and given masks: call(keep_prob, mask, x, residual, y, threads, stores).
    const auto drawn = [](double keep_prob, std::span<std::uint8_t> mask, ConstMatrix x,
                          ConstMatrix r, Matrix y, int threads, simdrop::Stores stores) {
      simdrop::residual_dropout_forward(Dropout{.keep_prob = keep_prob}, x, r, y, mask, threads,
                                        stores);
    };
    const auto given = [](double keep_prob, std::span<std::uint8_t> mask, ConstMatrix x,
                          ConstMatrix r, Matrix y, int threads, simdrop::Stores stores) {
      simdrop::residual_dropout_forward(keep_prob, mask, x, r, y, threads, stores);
    };
    const auto check = [&](auto call) {
      constexpr auto cached = simdrop::Stores::cached;
      const auto fails = [&](std::string_view name, std::string_view value, ConstMatrix x,
                             ConstMatrix r, Matrix y) {
        expect_invalid(name, value, [&] { call(0.5, f.bits(), x, r, y, 1, cached); });
      };
      for (const auto& [keep_prob, text] : bad_keep_probs) {
        const double p = keep_prob;
        expect_invalid("keep_prob", text,
                       [&] { call(p, f.bits(), f.in(), add, f.out(), 1, cached); });
      }
      expect_invalid("mask", "2",
                     [&] { call(0.5, f.short_bits(), f.in(), add, f.out(), 1, cached); });
      expect_invalid("threads.count", "-1",
                     [&] { call(0.5, f.bits(), f.in(), add, f.out(), -1, cached); });
      expect_invalid("stores", "3",
                     [&] { call(0.5, f.bits(), f.in(), add, f.out(), 1, bad_stores); });
      fails("residual shape", "4 x 5", f.in(), {residual.data(), 4, 5}, f.out());
      fails("residual", "null", f.in(), {nullptr, 4, 6}, f.out());
      fails("residual", "5", f.in(), {residual.data(), 4, 6, 5}, f.out());
      fails("y shape", "3 x 6", f.in(), add, {f.y.data(), 3, 6});
      fails("y", "overlaps residual", f.in(), {f.y.data() + 1, 4, 6}, f.out());
      fails("y", "overlaps x", {f.y.data() + 1, 4, 6}, add, f.out());
    };
    check(drawn);
    check(given);
    std::vector<float> y(24);
    const std::span<std::uint8_t> over(reinterpret_cast<std::uint8_t*>(f.y.data()) + 50, 3);
    expect_invalid("mask", "overlaps residual", [&] {
      simdrop::residual_dropout_forward(f.half, f.in(), f.out(), {y.data(), 4, 6}, over);
    });
    CHECK(y == std::vector<float>(24));
    f.check_untouched();
  }

  TEST_CASE("keep_prob that is NaN or outside [0, 1]") {
    Fixture f;
    for (const auto& [keep_prob, text] : bad_keep_probs) {
      const Dropout bad{.keep_prob = keep_prob};
      const double p = keep_prob;
      expect_invalid("keep_prob", text,
                     [&] { simdrop::dropout_forward(bad, f.in(), f.out(), f.bits()); });
      expect_invalid("keep_prob", text, [&] { simdrop::dropout_backward(bad, f.in(), f.out()); });
      expect_invalid("keep_prob", text,
                     [&] { simdrop::dropout_backward(p, f.bits(), f.in(), f.out()); });
      expect_invalid("keep_prob", text, [&] {
        simdrop::bias_relu_dropout_forward(bad, f.in(), f.bias, f.out(), f.bits());
      });
      expect_invalid("keep_prob", text, [&] {
        simdrop::bias_relu_dropout_forward(p, f.bits(), f.in(), f.bias, f.out());
      });
      expect_invalid("keep_prob", text,
                     [&] { simdrop::relu_dropout_backward(p, f.in(), f.in(), f.out()); });
    }
    f.check_untouched();
  }

  TEST_CASE("enumerations out of range") {
    Fixture f;
    const Dropout bad_rule{.rule = static_cast<simdrop::MaskRule>(7)};
    const Dropout bad_rounds{.rounds = static_cast<simdrop::PhiloxRounds>(8)};
    expect_invalid("rule", "7", [&] { simdrop::dropout_forward(bad_rule, f.in(), f.out()); });
    expect_invalid("rounds", "8", [&] { simdrop::dropout_backward(bad_rounds, f.in(), f.out()); });
    expect_invalid("rounds", "8", [&] {
      simdrop::bias_relu_dropout_forward(bad_rounds, f.in(), f.bias, f.out());
    });
    f.check_untouched();
  }

  TEST_CASE("a way of storing that is none") {
    Fixture f;
    const auto bad = static_cast<simdrop::Stores>(3);
    const auto below = static_cast<simdrop::Stores>(-1);
    expect_invalid("stores", "3",
                   [&] { simdrop::dropout_forward(f.half, f.in(), f.out(), f.bits(), 1, bad); });
    expect_invalid("stores", "-1",
                   [&] { simdrop::dropout_forward(f.half, f.in(), f.out(), f.bits(), 1, below); });
    expect_invalid("stores", "3",
                   [&] { simdrop::dropout_backward(f.half, f.in(), f.out(), 1, bad); });
    expect_invalid("stores", "3",
                   [&] { simdrop::dropout_backward(0.5, f.bits(), f.in(), f.out(), 1, bad); });
    expect_invalid("stores", "3", [&] {
      simdrop::bias_relu_dropout_forward(f.half, f.in(), f.bias, f.out(), f.bits(), 1, bad);
    });
    expect_invalid("stores", "3", [&] {
      simdrop::bias_relu_dropout_forward(0.5, f.bits(), f.in(), f.bias, f.out(), 1, bad);
    });
    expect_invalid("stores", "3",
                   [&] { simdrop::relu_dropout_backward(0.5, f.in(), f.in(), f.out(), 1, bad); });
    f.check_untouched();
  }

  TEST_CASE("threads.count below 0") {
    Fixture f;
    expect_invalid("threads.count", "-1",
                   [&] { simdrop::dropout_forward(f.half, f.in(), f.out(), f.bits(), -1); });
    expect_invalid("threads.count", "-1",
                   [&] { simdrop::dropout_backward(f.half, f.in(), f.out(), -1); });
    expect_invalid("threads.count", "-1",
                   [&] { simdrop::dropout_backward(0.5, f.bits(), f.in(), f.out(), -1); });
    expect_invalid("threads.count", "-1", [&] {
      simdrop::bias_relu_dropout_forward(f.half, f.in(), f.bias, f.out(), f.bits(), -1);
    });
    expect_invalid("threads.count", "-1", [&] {
      simdrop::bias_relu_dropout_forward(0.5, f.bits(), f.in(), f.bias, f.out(), -1);
    });
    expect_invalid("threads.count", "-1",
                   [&] { simdrop::relu_dropout_backward(0.5, f.in(), f.in(), f.out(), -1); });
    f.check_untouched();
  }

  TEST_CASE("a mask or a bias of the wrong size") {
    Fixture f;
    const auto few = std::span<const float>(f.bias).first(5);
    expect_invalid("mask", "2",
                   [&] { simdrop::dropout_forward(f.half, f.in(), f.out(), f.short_bits()); });
    expect_invalid("mask", "2",
                   [&] { simdrop::dropout_backward(0.5, f.short_bits(), f.in(), f.out()); });
    expect_invalid("mask", "0", [&] { simdrop::dropout_backward(0.5, {}, f.in(), f.out()); });
    expect_invalid("mask", "2", [&] {
      simdrop::bias_relu_dropout_forward(f.half, f.in(), f.bias, f.out(), f.short_bits());
    });
    expect_invalid("mask", "0",
                   [&] { simdrop::bias_relu_dropout_forward(0.5, {}, f.in(), f.bias, f.out()); });
    expect_invalid("bias", "5", [&] {
      simdrop::bias_relu_dropout_forward(f.half, f.in(), few, f.out(), f.bits());
    });
    expect_invalid("bias", "5", [&] {
      simdrop::bias_relu_dropout_forward(0.5, f.bits(), f.in(), few, f.out());
    });
    f.check_untouched();
  }

  TEST_CASE("shapes that differ, ld < cols, null data") {
    Fixture f;
    check_shapes(f, "x", "y", [&](ConstMatrix in, Matrix out) {
      simdrop::dropout_forward(f.half, in, out, f.bits());
    });
    check_shapes(f, "dy", "dx",
                 [&](ConstMatrix in, Matrix out) { simdrop::dropout_backward(f.half, in, out); });
    check_shapes(f, "dy", "dx", [&](ConstMatrix in, Matrix out) {
      simdrop::dropout_backward(0.5, f.bits(), in, out);
    });
    check_shapes(f, "x", "y", [&](ConstMatrix in, Matrix out) {
      simdrop::bias_relu_dropout_forward(f.half, in, f.bias, out, f.bits());
    });
    check_shapes(f, "x", "y", [&](ConstMatrix in, Matrix out) {
      simdrop::bias_relu_dropout_forward(0.5, f.bits(), in, f.bias, out);
    });
    check_shapes(f, "y", "dx", [&](ConstMatrix in, Matrix out) {
      simdrop::relu_dropout_backward(0.5, in, f.in(), out);
    });
    check_shapes(f, "dy", "dx", [&](ConstMatrix in, Matrix out) {
      simdrop::relu_dropout_backward(0.5, ConstMatrix{f.x.data(), 4, 6}, in, out);
    });
  }

  TEST_CASE("empty matrices need no data, and one row no ld") {
    Fixture f;
    CHECK_NOTHROW(simdrop::dropout_forward(f.half, ConstMatrix{}, Matrix{}));
    CHECK_NOTHROW(
        simdrop::dropout_backward(0.5, {}, ConstMatrix{nullptr, 0, 6}, Matrix{nullptr, 0, 6}));
    f.check_untouched();
    CHECK_NOTHROW(simdrop::dropout_backward(f.half, {f.x.data(), 1, 6, 0}, {f.y.data(), 1, 6, 0}));
    CHECK(f.y != std::vector<float>(40, 3.5F));
  }

  TEST_CASE_TEMPLATE("every element type", T, float, double, simdrop::bfloat16, simdrop::float16) {
    check_type<T>();
  }
}
