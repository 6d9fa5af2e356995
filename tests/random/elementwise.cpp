// The functions of dropout.hpp and mask.hpp on any arguments, bit for bit.
#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <span>
#include <vector>

#include "helpers/public_mask.h"
#include "random/cases.h"
#include "random/guarded_matrix.h"
#include "reference/dropout_reference.h"
#include "reference/philox_reference.h"
#include "simdrop/dropout.hpp"

namespace {

using namespace simdrop;
using random_case::Draw;
using random_case::GuardedMatrix;

// The scale as dropout.hpp has it: in double, then in the type of the arithmetic.
template <class A>
A scale_of(double keep_prob) {
  constexpr A most = std::numeric_limits<A>::max();
  const double scale = 1.0 / keep_prob;
  return scale > static_cast<double>(most) ? most : static_cast<A>(scale);
}

enum class Operation { forward, backward, residual, bias_relu, relu_backward };

template <class T>
struct Buffers {
  GuardedMatrix<T> x, second, bias, y;
  GuardedMatrix<T>* out = nullptr;
  test::GuardedBuffer<std::uint8_t> mask{GuardedMatrix<T>::capacity};
};

template <class T>
struct Case {
  Operation operation;
  bool given, written, with_bias;  // mask bits; a bias
  reference::MaskSpec spec;
  Threads threads;
  Stores stores;
  std::span<std::uint8_t> mask;
};

template <class T>
void call(const Case<T>& c, const Buffers<T>& b) {
  const MatrixView<const T> x = b.x.view(), second = b.second.view();
  const MatrixView<T> y = b.out->view();
  const Dropout dropout = test::to_dropout(c.spec);
  const double p = c.spec.keep_prob;
  const std::span<std::uint8_t> out_bits = c.written ? c.mask : std::span<std::uint8_t>();
  const std::span<const T> bias =
      c.with_bias ? std::span<const T>(b.bias.elements()) : std::span<const T>();
  switch (c.operation) {
    case Operation::forward:
      return dropout_forward(dropout, x, y, out_bits, c.threads, c.stores);
    case Operation::backward:
      return c.given ? dropout_backward(p, c.mask, x, y, c.threads, c.stores)
                     : dropout_backward(dropout, x, y, c.threads, c.stores);
    case Operation::residual:
      return c.given
                 ? residual_dropout_forward(p, c.mask, x, second, y, c.threads, c.stores)
                 : residual_dropout_forward(dropout, x, second, y, out_bits, c.threads, c.stores);
    case Operation::bias_relu:
      return c.given
                 ? bias_relu_dropout_forward(p, c.mask, x, bias, y, c.threads, c.stores)
                 : bias_relu_dropout_forward(dropout, x, bias, y, out_bits, c.threads, c.stores);
    case Operation::relu_backward:
      return relu_dropout_backward(p, x, second, y, c.threads, c.stores);
  }
}

// By the text of the header.
template <class T>
T expected_element(const Case<T>& c, T x, T second, T bias, bool bit) {
  using A = test::Arithmetic<T>;
  const A scale = scale_of<A>(c.spec.keep_prob);
  const bool kept = bit && c.spec.keep_prob > 0.0;
  const A wide = test::widen(x);
  switch (c.operation) {
    case Operation::residual:
      return test::narrow<T>(
          reference::residual_dropout_as_documented(test::widen(second), wide, kept, scale));
    case Operation::bias_relu:
      return test::narrow<T>(reference::bias_relu_dropout_as_documented(
          wide, c.with_bias ? test::widen(bias) : A{0}, kept, scale));
    case Operation::relu_backward:
      if (c.spec.keep_prob == 0.0) return T{};  // everything is dropped, whatever y says
      return test::narrow<T>(
          reference::relu_dropout_backward_as_documented(wide, test::widen(second), scale));
    default:
      return test::narrow<T>(reference::dropout_as_documented(wide, kept, scale));
  }
}

template <class T>
void check_call(Draw& draw, Buffers<T>& b) {
  constexpr std::size_t long_row = 70000;  // more than one thread
  const bool is_long = draw.one_in(100);
  const std::size_t rows = is_long ? 1 + draw.below(3) : draw.length();
  const std::size_t cols = is_long ? long_row / rows + draw.below(99) : draw.length();
  const bool special = draw.one_in(2);
  Case<T> c{static_cast<Operation>(draw.below(5)),
            draw.one_in(2),
            draw.one_in(2),
            draw.one_in(2),
            draw.mask_spec(),
            draw.threads(),
            static_cast<Stores>(draw.below(3)),
            {}};
  if (c.operation == Operation::forward) c.given = false;
  b.x.place(draw, rows, cols, special);
  b.second.place(draw, rows, cols, special);
  b.bias.place(draw, 1, cols, special);
  b.y.place(draw, rows, cols, special);
  const std::size_t n = rows * cols;
  c.mask = b.mask.place((n + 7) / 8, draw.one_in(2) ? test::Edge::start : test::Edge::end,
                        draw.below(9));
  std::vector<std::uint8_t> bits;
  if (c.given) {
    for (std::uint8_t& byte : c.mask) byte = static_cast<std::uint8_t>(draw.word());
    bits.assign(c.mask.begin(), c.mask.end());
  } else {
    bits = reference::mask(c.spec, n);
  }
  const std::size_t place = draw.below(8);
  const bool takes_second =
      c.operation == Operation::residual || c.operation == Operation::relu_backward;
  b.out = place == 0 ? &b.x : place == 1 && takes_second ? &b.second : &b.y;
  std::vector<T> want;
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t col = 0; col < cols; ++col) {
      const T x = b.x.view()(r, col), second = b.second.view()(r, col);
      want.push_back(expected_element(c, x, second, b.bias.elements()[col],
                                      random_case::bit(bits, r * cols + col)));
    }
  }
  for (std::size_t i = 0; i < n; ++i) (*b.out)(i / cols, i % cols) = want[i];
  CAPTURE(rows);
  CAPTURE(cols);
  CAPTURE(static_cast<int>(c.operation));
  CAPTURE(c.spec.keep_prob);
  call(c, b);
  CHECK(b.out->as_expected());
  for (const auto* m : {&b.x, &b.second, &b.bias, &b.y}) CHECK((m == b.out || m->as_expected()));
  CHECK(b.mask.intact());
  const bool writes = !c.given && c.written && c.operation != Operation::backward &&
                      c.operation != Operation::relu_backward;
  if (writes || c.given) CHECK(std::ranges::equal(c.mask, bits));
}

}  // namespace

TEST_CASE_TEMPLATE("random: elementwise functions", T, float, double, bfloat16, float16) {
  static Buffers<T> buffers;
  random_case::for_each_case(1500, [&](Draw& draw) { check_call(draw, buffers); });
}

TEST_CASE("random: masks and words") {
  random_case::for_each_case(3000, [](Draw& draw) {
    const auto spec = draw.mask_spec();
    const std::size_t n = draw.one_in(200) ? 70000 + draw.below(999) : draw.below(3000);
    static test::GuardedBuffer<std::uint8_t> bytes(1 << 17);
    static test::GuardedBuffer<std::uint32_t> words(1 << 15);
    const auto mask = bytes.place((n + 7) / 8, test::Edge::end, draw.below(9));
    bernoulli_mask(test::to_dropout(spec), n, mask, draw.threads());
    CAPTURE(n);
    CAPTURE(spec.keep_prob);
    CHECK(std::ranges::equal(mask, reference::mask(spec, n)));
    const auto drawn =
        words.place(draw.one_in(50) ? 20000 : draw.below(200), test::Edge::end, draw.below(9));
    const auto rounds = static_cast<PhiloxRounds>(spec.rounds);
    philox_fill({spec.seed, spec.stream}, spec.first, drawn, rounds, draw.threads());
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < drawn.size(); ++i) {
      wrong +=
          drawn[i] != reference::stream_word(spec.seed, spec.stream, spec.first + i, spec.rounds)
              ? 1U
              : 0U;
    }
    CHECK(wrong == 0);
    CHECK((bytes.intact() && words.intact()));
  });
}
