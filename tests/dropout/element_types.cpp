// The public dropout functions on every element type: the same masks, results as documented, and
// neither threads nor the way of storing changes them.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "helpers/element.h"
#include "helpers/public_mask.h"
#include "reference/dropout_reference.h"
#include "simdrop/dropout.hpp"

namespace {

using simdrop::Dropout;
using simdrop::MatrixView;
using simdrop::Stores;
using test::narrow;
using test::widen;

using Bytes = std::vector<std::uint8_t>;

constexpr Stores all_stores[] = {Stores::automatic, Stores::cached, Stores::streaming};

// 301 rows make several blocks for threads; padding must keep its value.
template <class T>
struct Problem {
  Problem(std::size_t rows_, std::size_t cols_, std::size_t ld_in_, std::size_t ld_out_,
          double keep_prob_)
      : rows(rows_), cols(cols_), ld_in(ld_in_), ld_out(ld_out_), keep_prob(keep_prob_) {}

  std::size_t rows, cols, ld_in, ld_out;
  double keep_prob;
  reference::MaskSpec spec{11, 12, 13, keep_prob, reference::Rule::dyadic, 10};
  Dropout dropout = test::to_dropout(spec);
  Bytes bits = reference::mask(spec, rows* cols);
  test::Arithmetic<T> scale = reference::scale_of<test::Arithmetic<T>>(keep_prob);
  std::vector<T> x = test::random_elements<T>(rows * ld_in, 61);
  std::vector<T> dy = test::random_elements<T>(rows * ld_in, 62);
  std::vector<T> bias = test::random_elements<T>(cols, 63);

  [[nodiscard]] std::vector<T> blank() const {
    return std::vector<T>(rows * ld_out, narrow<T>(-77.25F));
  }
  [[nodiscard]] MatrixView<const T> in(const std::vector<T>& from) const {
    return {from.data(), rows, cols, ld_in};
  }
  [[nodiscard]] MatrixView<T> out(std::vector<T>& to) const {
    return {to.data(), rows, cols, ld_out};
  }

  // element(index in x, column, kept)
  template <class Element>
  [[nodiscard]] std::vector<T> expected(Element element) const {
    std::vector<T> y = blank();
    for (std::size_t r = 0; r < rows; ++r) {
      for (std::size_t c = 0; c < cols; ++c) {
        const bool kept = simdrop::mask_bit(bits, r * cols + c);
        y[r * ld_out + c] = narrow<T>(element(r * ld_in + c, c, kept));
      }
    }
    return y;
  }
};

template <class T>
std::vector<Problem<T>> problems() {
  return {{301, 1001, 1001, 1001, 0.9}, {301, 333, 340, 337, 0.5}, {1, 200003, 200003, 200003, 0.3},
          {40003, 1, 1, 1, 0.5},        {9001, 7, 7, 7, 0.9},      {2, 31, 31, 31, 0.3},
          {5003, 31, 31, 31, 0.9},      {900, 3, 5, 3, 0.5},       {101, 63, 63, 63, 0.9}};
}

// call(y, num_threads, stores) must give `want` whatever the last two are.
template <class T, class Call>
void check_runs(const Problem<T>& p, const std::vector<T>& want, Call call) {
  for (const int num_threads : {1, 2, 3, 8}) {
    for (const Stores stores : all_stores) {
      INFO("rows ", p.rows, ", cols ", p.cols, ", ld ", p.ld_in, " ", p.ld_out, ", keep_prob ",
           p.keep_prob, ", num_threads ", num_threads, ", stores ", static_cast<int>(stores));
      std::vector<T> y = p.blank();
      call(p.out(y), num_threads, stores);
      CHECK(test::first_difference(y, want) == test::no_difference);
    }
  }
}

template <class T>
void check_dropout(const Problem<T>& p) {
  const auto want = p.expected([&](std::size_t i, std::size_t, bool kept) {
    return reference::dropout_as_documented(widen(p.x[i]), kept, p.scale);
  });
  check_runs(p, want, [&](MatrixView<T> y, int num_threads, Stores stores) {
    Bytes mask(p.bits.size(), 0xCC);
    simdrop::dropout_forward(p.dropout, p.in(p.x), y, mask, num_threads, stores);
    CHECK(mask == p.bits);
  });
  check_runs(p, want, [&](MatrixView<T> dx, int num_threads, Stores stores) {
    simdrop::dropout_backward(p.dropout, p.in(p.x), dx, num_threads, stores);
  });
  check_runs(p, want, [&](MatrixView<T> dx, int num_threads, Stores stores) {
    simdrop::dropout_backward(p.keep_prob, p.bits, p.in(p.x), dx, num_threads, stores);
  });
}

template <class T>
void check_residual(const Problem<T>& p) {
  const auto want = p.expected([&](std::size_t i, std::size_t, bool kept) {
    return reference::residual_dropout_as_documented(widen(p.dy[i]), widen(p.x[i]), kept, p.scale);
  });
  check_runs(p, want, [&](MatrixView<T> y, int num_threads, Stores stores) {
    Bytes mask(p.bits.size(), 0xCC);
    simdrop::residual_dropout_forward(p.dropout, p.in(p.x), p.in(p.dy), y, mask, num_threads,
                                      stores);
    CHECK(mask == p.bits);
  });
  check_runs(p, want, [&](MatrixView<T> y, int num_threads, Stores stores) {
    simdrop::residual_dropout_forward(p.keep_prob, p.bits, p.in(p.x), p.in(p.dy), y, num_threads,
                                      stores);
  });
}

template <class T>
void check_relu(const Problem<T>& p) {
  const auto want = p.expected([&](std::size_t i, std::size_t c, bool kept) {
    return reference::bias_relu_dropout_as_documented(widen(p.x[i]), widen(p.bias[c]), kept,
                                                      p.scale);
  });
  check_runs(p, want, [&](MatrixView<T> y, int num_threads, Stores stores) {
    Bytes mask(p.bits.size(), 0xCC);
    simdrop::bias_relu_dropout_forward(p.dropout, p.in(p.x), p.bias, y, mask, num_threads, stores);
    CHECK(mask == p.bits);
  });
  check_runs(p, want, [&](MatrixView<T> y, int num_threads, Stores stores) {
    simdrop::bias_relu_dropout_forward(p.keep_prob, p.bits, p.in(p.x), p.bias, y, num_threads,
                                       stores);
  });
  const auto want_dx = p.expected([&](std::size_t i, std::size_t, bool) {
    return reference::relu_dropout_backward_as_documented(widen(p.x[i]), widen(p.dy[i]), p.scale);
  });
  check_runs(p, want_dx, [&](MatrixView<T> dx, int num_threads, Stores stores) {
    simdrop::relu_dropout_backward(p.keep_prob, p.in(p.x), p.in(p.dy), dx, num_threads, stores);
  });
}

// All of a call in place, streaming.
template <class T>
void check_in_place(const Problem<T>& p) {
  const MatrixView<const T> x = p.in(p.x);
  const auto same = [&](auto apart, auto over) {
    std::vector<T> want(p.x), got(p.x);
    apart(x, MatrixView<T>(want.data(), p.rows, p.cols, p.ld_in));
    over(MatrixView<T>(got.data(), p.rows, p.cols, p.ld_in));
    CHECK(test::first_difference(got, want) == test::no_difference);
  };
  const MatrixView<const T> other = p.in(p.dy);
  same([&](auto in, auto y) { simdrop::residual_dropout_forward(p.dropout, in, other, y); },
       [&](auto y) {
         simdrop::residual_dropout_forward(p.dropout, y, other, y, {}, 2, Stores::streaming);
       });
  same([&](auto in, auto y) { simdrop::residual_dropout_forward(p.dropout, other, in, y); },
       [&](auto y) {
         simdrop::residual_dropout_forward(p.dropout, other, y, y, {}, 2, Stores::streaming);
       });
  same([&](auto in, auto y) { simdrop::dropout_forward(p.dropout, in, y); },
       [&](auto y) { simdrop::dropout_forward(p.dropout, y, y, {}, 2, Stores::streaming); });
  same([&](auto in, auto y) { simdrop::bias_relu_dropout_forward(p.dropout, in, p.bias, y); },
       [&](auto y) {
         simdrop::bias_relu_dropout_forward(p.dropout, y, p.bias, y, {}, 2, Stores::streaming);
       });
  same([&](auto y, auto dx) { simdrop::relu_dropout_backward(p.keep_prob, y, p.in(p.dy), dx); },
       [&](auto y) {
         simdrop::relu_dropout_backward(p.keep_prob, y, p.in(p.dy), y, 2, Stores::streaming);
       });
  same([&](auto dy, auto dx) { simdrop::relu_dropout_backward(p.keep_prob, p.in(p.dy), dy, dx); },
       [&](auto dy) {
         simdrop::relu_dropout_backward(p.keep_prob, p.in(p.dy), dy, dy, 2, Stores::streaming);
       });
}

// keep_prob 1 and 0, where the scale is 1 and unused.
template <class T>
void check_extremes() {
  auto x = test::random_elements<T>(1000, 64);
  x[3] = narrow<T>(std::numeric_limits<float>::quiet_NaN());
  x[50] = narrow<T>(std::numeric_limits<float>::infinity());
  x[51] = narrow<T>(-0.0F);
  const std::span<const T> in(x);
  const Bytes all_set(125, 0xFF);
  const std::vector<T> zeros(1000, narrow<T>(0.0F));
  std::vector<T> y(1000);
  const std::span<T> out(y);
  const auto gives = [&](const std::vector<T>& want, auto call) {
    y.assign(1000, narrow<T>(9.0F));
    call();
    CHECK(test::first_difference(y, want) == test::no_difference);
  };
  gives(x, [&] { simdrop::dropout_forward({.keep_prob = 1.0}, in, out); });
  gives(zeros, [&] { simdrop::dropout_forward({.keep_prob = 0.0}, in, out); });
  gives(zeros, [&] { simdrop::dropout_backward({.keep_prob = 0.0}, in, out); });
  gives(zeros, [&] { simdrop::dropout_backward(0.0, all_set, in, out); });
  gives(zeros, [&] { simdrop::bias_relu_dropout_forward({.keep_prob = 0.0}, in, {}, out); });
  gives(zeros, [&] { simdrop::bias_relu_dropout_forward(0.0, all_set, in, {}, out); });
  gives(zeros, [&] { simdrop::relu_dropout_backward(0.0, std::span<const T>(zeros), in, out); });
  // Whatever y and dy are, in place too, and with padding that stays.
  const std::vector<T> positive(1000, narrow<T>(1.0F));
  gives(zeros, [&] { simdrop::relu_dropout_backward(0.0, std::span<const T>(positive), in, out); });
  gives(zeros, [&] {
    y = x;
    simdrop::relu_dropout_backward(0.0, std::span<const T>(positive), out, out);
  });
  gives(zeros, [&] {
    y = positive;
    simdrop::relu_dropout_backward(0.0, out, in, out);
  });
  std::vector<T> padded(1000, narrow<T>(9.0F));
  for (std::size_t i = 0; i < 1000; ++i) padded[i] = i % 10 < 7 ? zeros[i] : padded[i];
  gives(padded, [&] {
    simdrop::relu_dropout_backward(0.0, MatrixView<const T>(positive.data(), 100, 7, 10),
                                   MatrixView<const T>(x.data(), 100, 7, 10),
                                   MatrixView<T>(y.data(), 100, 7, 10));
  });
}

// Output of exactly the threshold, and one element less: on either side the results are those of
// the oracle.
template <class T>
void check_threshold() {
  const std::size_t at = simdrop::streaming_threshold_bytes / sizeof(T);
  const reference::MaskSpec spec{1, 1, 0, 0.5, reference::Rule::dyadic, 7};
  const Bytes bits = reference::mask(spec, at);
  const std::vector<T> x(at, narrow<T>(1.5F));
  for (const std::size_t n : {at - 1, at}) {
    std::vector<T> y(n);
    simdrop::dropout_forward(test::to_dropout(spec), std::span(x).first(n), std::span(y), {}, 2);
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < n; ++i) {
      const float want = simdrop::mask_bit(bits, i) ? 3.0F : 0.0F;
      wrong += static_cast<float>(widen(y[i])) == want ? 0 : 1;
    }
    CHECK(wrong == 0);
  }
}

}  // namespace

TEST_SUITE("dropout") {
  TEST_CASE_TEMPLATE("every type, 1 ... 8 threads, every way of storing", T, float, double,
                     test::bfloat16, test::float16) {
    for (const auto& p : problems<T>()) {
      check_dropout(p);
      check_relu(p);
      check_residual(p);
      check_in_place(p);
    }
  }

  TEST_CASE_TEMPLATE("keep_prob 1 and 0 of every type", T, float, double, test::bfloat16,
                     test::float16) {
    check_extremes<T>();
  }

  TEST_CASE("around the size from which stores are streamed") {
    check_threshold<float>();
  }
}
