// Options by name: each function with them is that with arguments one by one.
#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "helpers/compare.h"
#include "helpers/element.h"
#include "helpers/expect_invalid.h"
#include "helpers/pools.h"
#include "simdrop/dropout.hpp"

namespace {

using simdrop::ConstMatrix;
using simdrop::Dropout;
using simdrop::Matrix;
using simdrop::MatrixView;
using simdrop::Stores;
using Bytes = std::vector<std::uint8_t>;

constexpr Dropout dropout{.keep_prob = 0.6, .stream = {.seed = 1, .id = 2}, .first = 3};
constexpr std::size_t rows = 7, cols = 37;

template <class T>
struct Case {
  std::vector<T> x = test::random_elements<T>(rows * cols, 1);
  std::vector<T> other = test::random_elements<T>(rows * cols, 2);
  std::vector<T> bias = test::random_elements<T>(cols, 3);
  std::vector<T> y = std::vector<T>(rows * cols), want = y;
  Bytes mask = Bytes(simdrop::mask_bytes(rows * cols)), want_mask = mask;

  MatrixView<const T> in() const { return {x, rows, cols}; }
  MatrixView<const T> in_too() const { return {other, rows, cols}; }
  MatrixView<T> out() { return {y, rows, cols}; }
  MatrixView<T> wanted() { return {want, rows, cols}; }
  void check() {
    CHECK(test::first_difference(std::span<const T>(y), std::span<const T>(want)) ==
          test::no_difference);
    CHECK(mask == want_mask);
  }
};

// Positional braces are no options: they mean what they meant before there were any.
template <class... Options>
concept Takes = requires(std::vector<float>& x, Options... options) {
  simdrop::dropout_forward(dropout, x, x, {options...});
};
static_assert(Takes<> && Takes<std::span<std::uint8_t>> && Takes<std::uint8_t*, std::size_t>);
static_assert(!Takes<std::span<std::uint8_t>, int> && !Takes<int, Stores>);

template <class X, class Y>
concept Droppable = requires(X x, Y y, Bytes mask) {
  simdrop::dropout_forward(dropout, std::forward<X>(x), std::forward<Y>(y), {.threads = 2});
};
template <class X, class Y>
concept BackwardFromMask = requires(X x, Y y, Bytes mask) {
  simdrop::dropout_backward(dropout, mask, std::forward<X>(x), std::forward<Y>(y));
};
using Floats = std::vector<float>;
static_assert(Droppable<const Floats&, Floats&> && BackwardFromMask<const Floats&, Floats&>);
static_assert(Droppable<ConstMatrix, Matrix> && BackwardFromMask<ConstMatrix, Matrix>);
static_assert(!Droppable<const Floats&, Floats> && !BackwardFromMask<const Floats&, Floats>);
static_assert(!Droppable<Floats&, const Floats&> && !BackwardFromMask<Floats&, const Floats&>);
static_assert(!Droppable<Floats&, std::vector<double>&>);
static_assert(!BackwardFromMask<Floats&, std::vector<double>&>);
static_assert(!Droppable<Bytes&, Bytes&> && !BackwardFromMask<int, int>);

}  // namespace

TEST_SUITE("dropout options") {
  TEST_CASE_TEMPLATE("functions that draw", T, float, double, simdrop::bfloat16, simdrop::float16) {
    Case<T> c;
    simdrop::dropout_forward(dropout, c.in(), c.wanted(), c.want_mask);
    simdrop::dropout_forward(dropout, c.in(), c.out(),
                             {.mask = c.mask, .threads = 2, .stores = Stores::streaming});
    c.check();
    simdrop::residual_dropout_forward(dropout, c.in(), c.in_too(), c.wanted(), c.want_mask);
    simdrop::residual_dropout_forward(dropout, c.in(), c.in_too(), c.out(),
                                      {.mask = c.mask, .stores = Stores::cached});
    c.check();
    simdrop::bias_relu_dropout_forward(dropout, c.in(), c.bias, c.wanted(), c.want_mask);
    simdrop::bias_relu_dropout_forward(dropout, c.in(), c.bias, c.out(), {.mask = c.mask});
    c.check();
    simdrop::bias_relu_dropout_forward(dropout, c.in(), {}, c.wanted());
    simdrop::bias_relu_dropout_forward(dropout, c.in(), {}, c.out(), {.threads = 3});
    c.check();
    simdrop::dropout_backward(dropout, c.in(), c.wanted());
    simdrop::dropout_backward(dropout, c.in(), c.out(), {.threads = 2, .stores = Stores::cached});
    c.check();
  }

  TEST_CASE_TEMPLATE("functions that are given a mask, with keep_prob or a Dropout", T, float,
                     double, simdrop::bfloat16, simdrop::float16) {
    Case<T> c;
    c.mask = c.want_mask = Bytes(c.mask.size(), 0x5A);  // not what dropout would draw
    simdrop::dropout_backward(0.6, c.mask, c.in(), c.wanted());
    simdrop::dropout_backward(0.6, c.mask, c.in(), c.out(), {.threads = 2});
    c.check();
    c.y.assign(c.y.size(), T{});
    simdrop::dropout_backward(dropout, c.mask, c.in(), c.out());
    c.check();
    simdrop::residual_dropout_forward(0.6, c.mask, c.in(), c.in_too(), c.wanted());
    simdrop::residual_dropout_forward(0.6, c.mask, c.in(), c.in_too(), c.out(), {.threads = 2});
    c.check();
    c.y.assign(c.y.size(), T{});
    simdrop::residual_dropout_forward(dropout, c.mask, c.in(), c.in_too(), c.out());
    c.check();
    simdrop::bias_relu_dropout_forward(0.6, c.mask, c.in(), c.bias, c.wanted());
    simdrop::bias_relu_dropout_forward(0.6, c.mask, c.in(), c.bias, c.out(), {.threads = 2});
    c.check();
    c.y.assign(c.y.size(), T{});
    simdrop::bias_relu_dropout_forward(dropout, c.mask, c.in(), c.bias, c.out(), {.threads = 2});
    c.check();
    simdrop::relu_dropout_backward(0.6, c.in(), c.in_too(), c.wanted());
    simdrop::relu_dropout_backward(0.6, c.in(), c.in_too(), c.out(), {.threads = 2});
    c.check();
  }

  TEST_CASE("each option reaches the call") {
    Case<float> c;
    Bytes short_mask(1);
    test::expect_invalid("mask.size()", "1", [&] {
      simdrop::dropout_forward(dropout, c.x, c.y, {.mask = short_mask});
    });
    test::expect_invalid("threads.count", "-1",
                         [&] { simdrop::dropout_forward(dropout, c.x, c.y, {.threads = -1}); });
    test::expect_invalid("stores", "3", [&] {
      simdrop::dropout_forward(dropout, c.x, c.y, {.stores = static_cast<Stores>(3)});
    });
    test::expect_invalid("threads.count", "-1", [&] {
      simdrop::dropout_backward(dropout, c.mask, c.x, c.y, {.threads = -1});
    });
    test::expect_invalid("stores", "3", [&] {
      simdrop::relu_dropout_backward(0.5, c.x, c.x, c.y, {.stores = static_cast<Stores>(3)});
    });
    test::expect_invalid("keep_prob", "1.5", [&] {
      simdrop::dropout_backward(Dropout{.keep_prob = 1.5}, c.mask, c.x, c.y);
    });
    CHECK(c.y == c.want);
  }

  TEST_CASE("an executor is a value of .threads") {
    std::vector<float> x(std::size_t{1} << 17, 1.0F), y(x.size()), want(x.size());
    test::SerialExecutor pool(2);
    simdrop::dropout_forward(dropout, x, want);
    simdrop::dropout_forward(dropout, x, y, {.threads = pool});
    CHECK(y == want);
    CHECK(pool.calls > 0);
  }
}
