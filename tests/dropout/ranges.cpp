// Ranges as matrices: which convert, which must not, and that calls on plain containers pick the
// function of their elements.
#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "helpers/expect_invalid.h"
#include "simdrop/dropout.hpp"
#include "simdrop/matrix.hpp"

namespace {

using simdrop::bfloat16;
using simdrop::ConstMatrix;
using simdrop::Dropout;
using simdrop::float16;
using simdrop::Matrix;
using simdrop::MatrixView;
using Floats = std::vector<float>;

template <class From, class To>
constexpr bool converts = std::is_convertible_v<From, To>;

// Everything that has its floats in a row.
static_assert(converts<Floats&, Matrix> && converts<Floats&, ConstMatrix>);
static_assert(converts<std::array<float, 3>&, Matrix> && converts<float (&)[3], Matrix>);
static_assert(converts<std::span<float>, Matrix> && converts<std::span<float, 3>, Matrix>);
static_assert(converts<const std::span<float>&, Matrix>);
static_assert(converts<const Floats&, ConstMatrix> && converts<const float (&)[3], ConstMatrix>);
static_assert(converts<std::span<const float>, ConstMatrix>);
static_assert(converts<std::vector<bfloat16>&, MatrixView<const bfloat16>>);
// What is const is not written, and what is gone after the call neither.
static_assert(!converts<const Floats&, Matrix> && !converts<const float (&)[3], Matrix>);
static_assert(!converts<std::span<const float>, Matrix>);
static_assert(!converts<const std::array<float, 3>&, Matrix>);
static_assert(!converts<Floats, Matrix> && converts<Floats, ConstMatrix>);
static_assert(!converts<std::array<float, 3>, Matrix>);
static_assert(!std::is_constructible_v<Matrix, Floats, std::size_t, std::size_t>);
// Other elements, and what has none.
static_assert(!converts<std::vector<double>&, ConstMatrix>);
static_assert(!converts<std::vector<bool>&, MatrixView<const bool>>);
static_assert(!converts<std::vector<float16>&, MatrixView<const bfloat16>>);
static_assert(!converts<float*, Matrix> && !converts<std::nullptr_t, Matrix>);
static_assert(!converts<int, ConstMatrix> && !converts<float (&)[2][3], ConstMatrix>);
// Views are copied as ever.
static_assert(converts<Matrix&, ConstMatrix> && !converts<ConstMatrix, Matrix>);
static_assert(std::is_trivially_copyable_v<Matrix>);

constexpr std::array<float, 6> constants{1, 2, 3, 4, 5, 6};
static_assert(ConstMatrix(constants).cols == 6 && ConstMatrix(constants, 2, 3)(1, 0) == 4);

template <class X, class Y>
concept Droppable = requires(X x, Y y) {
  simdrop::dropout_forward(Dropout{}, std::forward<X>(x), std::forward<Y>(y));
};
static_assert(Droppable<const Floats&, Floats&>);
static_assert(!Droppable<const Floats&, std::vector<double>&>);  // elements of two types
static_assert(!Droppable<Floats&, const Floats&>);               // nothing to write to
static_assert(!Droppable<Floats&, Floats>);                      // a result that nobody sees
static_assert(!Droppable<std::vector<int>&, std::vector<int>&>);

// Rows with a gap behind each, which a program made for earlier versions: as a range it is one row.
struct PaddedRows {
  mutable Floats all = Floats(8, 1.0F);
  [[nodiscard]] float* begin() const { return all.data(); }
  [[nodiscard]] float* end() const { return all.data() + all.size(); }
  operator ConstMatrix() const { return {all.data(), 2, 3, 4}; }  // NOLINT
  operator Matrix() const { return {all.data(), 2, 3, 4}; }       // NOLINT
};

// A pointer that knows its first row.
struct Pointer {
  const float* data;
  operator const float*() const { return data; }  // NOLINT
  [[nodiscard]] const float* begin() const { return data; }
  [[nodiscard]] const float* end() const { return data + 2; }
};

constexpr Dropout half{.keep_prob = 0.5, .stream = {.seed = 1, .id = 2}};

}  // namespace

TEST_SUITE("ranges") {
  TEST_CASE("a range is one row of its elements") {
    Floats values(5);
    const Matrix row = values;
    CHECK(row.data == values.data());
    CHECK(row.rows == 1);
    CHECK(row.cols == 5);
    CHECK(row.ld == 5);
    float array[3] = {};
    CHECK(Matrix(array).cols == 3);
    CHECK(ConstMatrix(std::span<float, 3>(array)).data == array);
    CHECK(ConstMatrix(Floats{}).size() == 0);
  }

  TEST_CASE("a range with a shape is as long as that at least") {
    Floats values(7);
    const Matrix m(values, 2, 3);
    CHECK(m.data == values.data());
    CHECK(m.rows == 2);
    CHECK(m.cols == 3);
    CHECK(m.ld == 3);
    CHECK(ConstMatrix(std::as_const(values), 7, 1).rows == 7);
    CHECK(ConstMatrix(values, 100, 0).size() == 0);
    CHECK(ConstMatrix(values, 0, 100).size() == 0);
    test::expect_invalid("range.size()", "7", [&] { Matrix(values, 2, 4); });
    test::expect_invalid("range.size()", "2 * 4", [&] { Matrix(values, 2, 4); });
    test::expect_invalid("range.size()", "7", [&] { ConstMatrix(std::span(values), 8, 1); });
    test::expect_invalid("range.size()", "0", [] { ConstMatrix(Floats{}, 1, 1); });
    constexpr std::size_t most = std::numeric_limits<std::size_t>::max();
    test::expect_invalid("range.size()", "7", [&] { Matrix(values, most / 2 + 1, 2); });
    test::expect_invalid("range.size()", "7", [&] { Matrix(values, most, most); });
  }

  TEST_CASE("the first row of a C array of rows stands for all of them") {
    const float rows[4][2] = {{1, 2}, {3, 4}, {5, 6}, {7, 8}};
    const ConstMatrix m(rows[0], 4, 2);
    CHECK(m(3, 1) == 8.0F);
  }

  TEST_CASE("what converts to a view by itself is that view") {
    PaddedRows x, y;
    CHECK(ConstMatrix(x).ld == 4);
    simdrop::dropout_forward(half, x, y);
    Floats want(6);
    simdrop::dropout_forward(half, Floats(6, 1.0F), want);
    const Matrix got = y;
    for (std::size_t i = 0; i < 6; ++i) CHECK(got(i / 3, i % 3) == want[i]);
    CHECK(y.all[3] == 1.0F);
    CHECK(y.all[7] == 1.0F);
    const Pointer pointer{x.all.data()};
    CHECK(ConstMatrix(pointer, 2, 4).rows == 2);
  }

  TEST_CASE_TEMPLATE("calls on plain containers, of each element type", T, float, double, bfloat16,
                     float16) {
    const std::vector<T> x(19), bias(19);
    std::vector<T> y(19);
    std::array<T, 19> dx{};
    T in_c[19] = {};
    std::vector<std::uint8_t> mask(3, 0xFF), want(3);
    simdrop::bernoulli_mask(half, 19, want);
    simdrop::dropout_forward(half, x, y);
    simdrop::dropout_forward(half, x, in_c, mask);
    CHECK(mask == want);
    simdrop::dropout_backward(half, x, dx);
    simdrop::dropout_backward(0.5, mask, x, dx);
    simdrop::dropout_backward({0.5}, mask, x, dx);  // a keep_prob, as in 0.2.0
    simdrop::residual_dropout_forward(half, x, y, y);
    simdrop::residual_dropout_forward(0.5, mask, dx, x, y);
    simdrop::bias_relu_dropout_forward(half, x, bias, y, mask);
    simdrop::bias_relu_dropout_forward(0.5, mask, x, {}, y);
    simdrop::relu_dropout_backward(0.5, y, x, dx);
    test::expect_invalid("y shape", "1 x 18",
                         [&] { simdrop::dropout_forward(half, x, std::span(y).first(18)); });
  }
}
