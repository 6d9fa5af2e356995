// The public dropout functions: shapes, threads, splits, and forward against backward.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "helpers/compare.h"
#include "helpers/public_mask.h"
#include "reference/dropout_reference.h"
#include "reference/mask_reference.h"
#include "simdrop/dropout.hpp"

namespace {

using simdrop::ConstMatrix;
using simdrop::Dropout;
using simdrop::Matrix;

using Floats = std::vector<float>;
using Bytes = std::vector<std::uint8_t>;

constexpr float padding_value = -77.25F;

struct Problem {
  std::size_t rows, cols, ld_in, ld_out;
  reference::MaskSpec spec;

  [[nodiscard]] ConstMatrix in(const Floats& x) const { return {x.data(), rows, cols, ld_in}; }
  [[nodiscard]] Matrix out(Floats& y) const { return {y.data(), rows, cols, ld_out}; }
};

// y with element(x, kept, col) at the elements and padding between them.
template <class Element>
Floats expected(const Problem& p, const Floats& x, Element element) {
  const Bytes bits = reference::mask(p.spec, p.rows * p.cols);
  Floats y(p.rows * p.ld_out, padding_value);
  for (std::size_t r = 0; r < p.rows; ++r) {
    for (std::size_t c = 0; c < p.cols; ++c) {
      const bool kept = simdrop::mask_bit(bits, r * p.cols + c);
      y[r * p.ld_out + c] = element(x[r * p.ld_in + c], kept, c);
    }
  }
  return y;
}

std::vector<Problem> problems() {
  std::vector<Problem> all;
  for (const double keep_prob : {0.9, 0.5, 0.3, 1.0, 0.0}) {
    const reference::MaskSpec spec{9, 8, 12345, keep_prob, reference::Rule::dyadic, 10};
    for (const std::size_t cols : {1UL, 7UL, 100UL, 1001UL}) {
      all.push_back({300, cols, cols, cols, spec});
      all.push_back({301, cols, cols + 3, cols + 1, spec});
    }
    all.push_back({1, 200003, 200003, 200003, spec});
    all.push_back({0, 5, 5, 5, spec});
    all.push_back({5, 0, 0, 0, spec});
  }
  return all;
}

float scale_of(const Problem& p) {
  return p.spec.keep_prob == 0.0 ? 0.0F : reference::scale_of(p.spec.keep_prob);
}

}  // namespace

#define INFO_PROBLEM(p, num_threads)                                                \
  INFO("rows ", (p).rows, ", cols ", (p).cols, ", ld ", (p).ld_in, " ", (p).ld_out, \
       ", keep_prob ", (p).spec.keep_prob, ", num_threads ", (num_threads))

TEST_SUITE("dropout") {
  TEST_CASE("dropout_forward and both dropout_backward, 1 ... 8 threads") {
    for (const Problem& p : problems()) {
      const Floats x = test::random_floats(p.rows * p.ld_in, 91);
      const Dropout dropout = test::to_dropout(p.spec);
      const Bytes bits = reference::mask(p.spec, p.rows * p.cols);
      const float scale = scale_of(p);
      const Floats want = expected(p, x, [scale](float v, bool kept, std::size_t) {
        return reference::dropout_as_documented(v, kept, scale);
      });
      for (int num_threads = 1; num_threads <= 8; ++num_threads) {
        INFO_PROBLEM(p, num_threads);
        Floats y(want.size(), padding_value);
        Floats y_alone = y, dx = y, dx_from_bits = y;
        Bytes mask(bits.size(), 0xCC);
        simdrop::dropout_forward(dropout, p.in(x), p.out(y), mask, num_threads);
        simdrop::dropout_forward(dropout, p.in(x), p.out(y_alone), {}, num_threads);
        simdrop::dropout_backward(dropout, p.in(x), p.out(dx), num_threads);
        simdrop::dropout_backward(p.spec.keep_prob, bits, p.in(x), p.out(dx_from_bits),
                                  num_threads);
        CHECK(mask == bits);
        CHECK(test::first_difference(y, want) == test::no_difference);
        CHECK(test::first_difference(y_alone, want) == test::no_difference);
        CHECK(test::first_difference(dx, want) == test::no_difference);
        CHECK(test::first_difference(dx_from_bits, want) == test::no_difference);
      }
    }
  }

  TEST_CASE("bias_relu_dropout_forward and relu_dropout_backward, 1 ... 8 threads") {
    for (const Problem& p : problems()) {
      const Floats x = test::random_floats(p.rows * p.ld_in, 92);
      const Floats bias = test::random_floats(p.cols, 93);
      const Dropout dropout = test::to_dropout(p.spec);
      const Bytes bits = reference::mask(p.spec, p.rows * p.cols);
      const float scale = scale_of(p);
      const Floats want = expected(p, x, [&](float v, bool kept, std::size_t c) {
        return reference::bias_relu_dropout_as_documented(v, bias[c], kept, scale);
      });
      Floats want_dx(want);
      for (std::size_t i = 0; i < want.size(); ++i) {
        if (i % p.ld_out >= p.cols) continue;
        want_dx[i] = reference::relu_dropout_backward_as_documented(want[i], 0.7F, scale);
      }
      const Floats dy(want.size(), 0.7F);
      for (int num_threads = 1; num_threads <= 8; ++num_threads) {
        INFO_PROBLEM(p, num_threads);
        Floats y(want.size(), padding_value);
        Floats y_from_bits = y, dx = y;
        Bytes mask(bits.size(), 0xCC);
        simdrop::bias_relu_dropout_forward(dropout, p.in(x), bias, p.out(y), mask, num_threads);
        simdrop::bias_relu_dropout_forward(p.spec.keep_prob, bits, p.in(x), bias,
                                           p.out(y_from_bits), num_threads);
        simdrop::relu_dropout_backward(p.spec.keep_prob, p.out(y),
                                       {dy.data(), p.rows, p.cols, p.ld_out}, p.out(dx),
                                       num_threads);
        CHECK(mask == bits);
        CHECK(test::first_difference(y, want) == test::no_difference);
        CHECK(test::first_difference(y_from_bits, want) == test::no_difference);
        CHECK(test::first_difference(dx, want_dx) == test::no_difference);
      }
    }
  }

  TEST_CASE("in place, and without a bias") {
    const reference::MaskSpec spec{1, 2, 3, 0.8, reference::Rule::words, 7};
    const Dropout dropout = test::to_dropout(spec);
    const Problem p{50, 33, 40, 40, spec};
    const Floats x = test::random_floats(50 * 40, 94);
    Floats y(x.size(), padding_value), in_place(x);
    simdrop::bias_relu_dropout_forward(dropout, p.in(x), {}, p.out(y));
    simdrop::bias_relu_dropout_forward(dropout, p.in(in_place), {}, p.out(in_place));
    for (std::size_t i = 0; i < x.size(); ++i) {
      if (i % 40 >= 33) y[i] = x[i];
    }
    CHECK(test::first_difference(in_place, y) == test::no_difference);
    const Floats zero_bias(33, 0.0F);
    simdrop::bias_relu_dropout_forward(dropout, p.in(x), zero_bias, p.out(in_place));
    CHECK(test::first_difference(in_place, y) == test::no_difference);
  }

  TEST_CASE("a call split by rows, or at any element, equals one call") {
    Dropout dropout{.keep_prob = 0.9, .stream = {4, 4}, .first = 1000};
    const Floats x = test::random_floats(40 * 37, 95);
    Floats whole(x.size()), parts(x.size());
    simdrop::dropout_forward(dropout, {x.data(), 40, 37}, {whole.data(), 40, 37});
    const std::uint64_t first = dropout.first;
    for (std::size_t begin = 0, count = 1; begin < x.size(); begin += count, count += 3) {
      count = std::min(count, x.size() - begin);
      dropout.first = first + begin;
      simdrop::dropout_forward(dropout, std::span(x).subspan(begin, count),
                               std::span(parts).subspan(begin, count));
    }
    CHECK(test::first_difference(parts, whole) == test::no_difference);
  }

  TEST_CASE("element indices wrap at 2^64 within a call") {
    const Problem p{
        30, 1003, 1003, 1010, {7, 7, std::uint64_t{0} - 15001, 0.9, reference::Rule::dyadic, 10}};
    const Floats x = test::random_floats(p.rows * p.ld_in, 96);
    const float scale = scale_of(p);
    const Floats want = expected(p, x, [scale](float v, bool kept, std::size_t) {
      return reference::dropout_as_documented(v, kept, scale);
    });
    for (const int num_threads : {1, 2, 5}) {
      Floats y(want.size(), padding_value);
      simdrop::dropout_forward(test::to_dropout(p.spec), p.in(x), p.out(y), {}, num_threads);
      CHECK(test::first_difference(y, want) == test::no_difference);
    }
  }

  TEST_CASE("a keep_prob whose reciprocal is too large keeps zeros zero") {
    constexpr std::size_t n = 100;  // vectors and tails
    const Bytes all(simdrop::mask_bytes(n), 0xFF);
    const float largest = std::numeric_limits<float>::max();
    for (const double keep_prob : {1e-40, 1e-300, std::numeric_limits<double>::denorm_min()}) {
      CAPTURE(keep_prob);
      for (const float x : {0.0F, -0.0F, -1.0F, 1.0F}) {
        const Floats in(n, x);
        Floats y(n, padding_value);
        simdrop::bias_relu_dropout_forward(keep_prob, all, std::span<const float>(in), {},
                                           std::span<float>(y));
        for (const float value : y) CHECK(value == (x > 0.0F ? largest : 0.0F));
        const std::vector<double> in64(n, static_cast<double>(x));
        std::vector<double> y64(n, -1.0);
        simdrop::bias_relu_dropout_forward(keep_prob, all, std::span<const double>(in64), {},
                                           std::span<double>(y64));
        for (const double value : y64) CHECK((std::isfinite(value) && (value > 0.0) == (x > 0.0F)));
      }
    }
  }

  TEST_CASE("keep_prob 1 is the identity; keep_prob 0 gives +0 for everything") {
    Floats x = test::random_floats(100, 97);
    x[3] = std::nanf("");
    x[50] = std::numeric_limits<float>::infinity();
    x[51] = -0.0F;
    const Bytes all_set(13, 0xFF);
    Floats y(100, 1.0F), dx(100, 1.0F), relu(100, 1.0F);
    simdrop::dropout_forward({.keep_prob = 1.0}, std::span<const float>(x), std::span(y));
    CHECK(test::first_difference(y, x) == test::no_difference);
    const Floats zeros(100, 0.0F);
    simdrop::dropout_forward({.keep_prob = 0.0}, std::span<const float>(x), std::span(y));
    simdrop::dropout_backward(0.0, all_set, std::span<const float>(x), std::span(dx));
    simdrop::bias_relu_dropout_forward(0.0, all_set, std::span<const float>(x), {},
                                       std::span(relu));
    CHECK(test::first_difference(y, zeros) == test::no_difference);
    CHECK(test::first_difference(dx, zeros) == test::no_difference);
    CHECK(test::first_difference(relu, zeros) == test::no_difference);
    simdrop::relu_dropout_backward(0.0, std::span<const float>(relu), std::span<const float>(x),
                                   std::span(dx));
    CHECK(test::first_difference(dx, zeros) == test::no_difference);
  }
}
