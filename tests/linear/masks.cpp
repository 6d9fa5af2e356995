// The linear layer's masks, special values and degenerate shapes.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <random>

#include "helpers/linear_check.h"
#include "helpers/mask_cases.h"
#include "helpers/test_sizes.h"
#include "reference/dropout_reference.h"

namespace {

using simdrop::Activation;
using test::LinearBuffers;
using test::LinearCase;
using test::LinearProblem;

template <class T>
constexpr T quiet_nan = std::numeric_limits<T>::quiet_NaN();
template <class T>
constexpr T infinity = std::numeric_limits<T>::infinity();

LinearCase shape(std::size_t batch, std::size_t in, std::size_t out) {
  LinearCase c;
  c.batch = batch;
  c.in = in;
  c.out = out;
  c.pad = 1;
  return c;
}

template <class T>
bool row_is_nan(const simdrop::MatrixView<T>& m, std::size_t r, bool want) {
  return std::all_of(m.row(r), m.row(r) + m.cols, [&](T x) { return std::isnan(x) == want; });
}
template <class T>
bool column_is_nan(const simdrop::MatrixView<T>& m, std::size_t c, bool want) {
  bool all = true;
  for (std::size_t r = 0; r < m.rows; ++r) all = all && std::isnan(m(r, c)) == want;
  return all;
}

template <class T>
std::size_t count_nan(const simdrop::MatrixView<T>& m) {
  std::size_t n = 0;
  for (std::size_t i = 0; i < m.size(); ++i) n += std::isnan(m(i / m.cols, i % m.cols)) ? 1 : 0;
  return n;
}

}  // namespace

TEST_CASE_TEMPLATE("linear: masks of every kind are those of bernoulli_mask", T, float, double) {
  LinearBuffers<T> buffers;
  std::mt19937 engine(41);
  const std::size_t count = 2000 / test::case_stride();
  for (std::size_t i = 0; i < count; ++i) {
    const auto spec = test::random_spec(engine);
    LinearCase c = shape(1 + engine() % 60, 1 + engine() % 5, 1 + engine() % 300);
    c.dropout = test::to_dropout(spec);
    c.activation = i % 2 == 0 ? Activation::relu : Activation::identity;
    c.mask = i % 3 != 0;
    INFO_SPEC(spec);
    INFO_LINEAR(c);
    LinearProblem<T> p(c, buffers);
    p.forward(1, buffers.workspace);
    const auto bits = reference::mask(spec, c.batch * c.out);
    if (c.mask) CHECK(std::ranges::equal(p.mask, bits));
    test::check_forward(c, p);
  }
}

TEST_CASE_TEMPLATE("linear: a batch split over calls draws the same mask", T, float, double) {
  LinearBuffers<T> buffers;
  LinearCase c = shape(64, 3, 37);
  c.pad = 0;
  LinearProblem<T> whole(c, buffers);
  whole.forward(1, buffers.workspace);
  const std::vector<T> y(whole.y.data, whole.y.data + whole.y.size());
  c.batch = 24;
  LinearBuffers<T> part_buffers;
  LinearProblem<T> shapes(c, part_buffers);
  c.dropout.first += 40 * 37;
  simdrop::linear_forward(simdrop::MatrixView<const T>(whole.x.row(40), 24, 3),
                          simdrop::MatrixView<const T>(whole.weights), whole.bias, c.activation,
                          c.dropout, shapes.y, part_buffers.workspace, shapes.mask);
  for (std::size_t i = 0; i < 24 * 37; ++i) {
    CHECK(simdrop::mask_bit(shapes.mask, i) == simdrop::mask_bit(whole.mask, 40 * 37 + i));
    CHECK((shapes.y.data[i] == T{0}) == (y[40 * 37 + i] == T{0}));
  }
}

TEST_CASE_TEMPLATE("linear: what is dropped is +0, whatever z is", T, float, double) {
  LinearBuffers<T> buffers;
  for (const Activation activation : {Activation::relu, Activation::identity}) {
    for (const double keep_prob : {0.0, 0x1p-40, 0.3, 0.9, 1.0}) {
      LinearCase c = shape(19, 21, 67);
      c.activation = activation;
      c.dropout.keep_prob = keep_prob;
      c.bias = false;
      INFO_LINEAR(c);
      LinearProblem<T> p(c, buffers);
      p.x(3, 5) = quiet_nan<T>;
      std::fill_n(p.x.row(7), 21, T{1});
      for (std::size_t j = 0; j < 67; ++j)
        p.weights(j, 4) = j % 2 == 0 ? infinity<T> : -infinity<T>;
      p.forward(1, buffers.workspace);
      std::size_t wrong = 0;
      for (std::size_t i = 0; i < 19 * 67; ++i) {
        const T y = p.y(i / 67, i % 67);
        const bool kept = simdrop::mask_bit(p.mask, i);
        if (!kept) {
          wrong += test::is_plus_zero(y) ? 0 : 1;
        } else if (i / 67 == 3) {
          wrong += std::isnan(y) ? 0 : 1;
        } else if (i / 67 == 7) {
          const T below = activation == Activation::relu ? T{0} : -infinity<T>;
          wrong += y == (i % 2 == 67 * 7 % 2 ? infinity<T> : below) ? 0 : 1;
        }
      }
      CHECK(wrong == 0);
      CHECK(std::ranges::equal(p.mask, test::api_mask(c.dropout, 19 * 67)));
    }
  }
}

TEST_CASE_TEMPLATE("linear: NaN spreads in its row or column, and no further", T, float, double) {
  LinearBuffers<T> buffers;
  LinearCase c = shape(19, 21, 37);
  c.dropout.keep_prob = 1.0;
  c.stored = false;
  for (const std::size_t at : {0U, 7U, 15U, 18U}) {
    CAPTURE(at);
    LinearProblem<T> p(c, buffers);
    p.x(at, 2) = quiet_nan<T>;
    p.run();
    CHECK(row_is_nan(p.y, at, true));
    CHECK(count_nan(p.y) == 37);
    CHECK(column_is_nan(p.dw, 2, true));
    CHECK(count_nan(p.dw) == 37);
    CHECK(count_nan(p.dx) == 0);
    LinearProblem<T> q(c, buffers);
    q.weights(at, 20) = quiet_nan<T>;
    q.run();
    CHECK(column_is_nan(q.y, at, true));
    CHECK(count_nan(q.y) == 19);
    CHECK(column_is_nan(q.dx, 20, true));
    CHECK(count_nan(q.dx) == 19);
    LinearProblem<T> s(c, buffers);
    s.dy(at, 36) = quiet_nan<T>;
    s.run();
    CHECK(row_is_nan(s.dx, at, true));
    CHECK(count_nan(s.dx) == 21);
    CHECK(row_is_nan(s.dw, 36, true));
    CHECK(count_nan(s.dw) == 21);
    CHECK(count_nan(simdrop::MatrixView<T>(s.db)) == 1);
    CHECK(std::isnan(s.db[36]));
  }
}

TEST_CASE_TEMPLATE("linear: nothing flows back where stored is not above 0", T, float, double) {
  LinearBuffers<T> buffers;
  LinearProblem<T> p(shape(19, 37, 11), buffers);
  const T values[] = {quiet_nan<T>, T{0}, -T{0}, T{-1}, -infinity<T>, T{1}, infinity<T>};
  for (std::size_t i = 0; i < 19 * 37; ++i) p.stored(i / 37, i % 37) = values[i % 7];
  std::fill_n(p.dy.row(4), 11, infinity<T>);
  p.dy(5, 3) = quiet_nan<T>;
  p.backward_input(1, buffers.workspace);
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < 19 * 37; ++i) {
    const T dx = p.dx(i / 37, i % 37);
    const bool ok = i % 7 < 5 ? test::is_plus_zero(dx) : dx != T{0};
    wrong += ok ? 0 : 1;
  }
  CHECK(wrong == 0);
  CHECK(row_is_nan(p.dx, 6, false));
}

TEST_CASE_TEMPLATE("linear: keep_prob 0 gives +0 forward and backward", T, float, double) {
  LinearBuffers<T> buffers;
  LinearCase c = shape(9, 33, 33);
  c.dropout.keep_prob = 0.0;
  LinearProblem<T> p(c, buffers);
  p.forward(1, buffers.workspace);
  simdrop::linear_backward_input(simdrop::MatrixView<const T>(p.dy), {p.weights.data, 33, 33, 35},
                                 simdrop::MatrixView<const T>(p.y), 0.0, p.dx, buffers.workspace);
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < 9 * 33; ++i) {
    wrong += test::is_plus_zero(p.y(i / 33, i % 33)) ? 0 : 1;
    wrong += test::is_plus_zero(p.dx(i / 33, i % 33)) ? 0 : 1;
  }
  CHECK(wrong == 0);
}

TEST_CASE_TEMPLATE("linear: no inputs: y is what dropout leaves of the bias", T, float, double) {
  LinearBuffers<T> buffers;
  for (const Activation activation : {Activation::relu, Activation::identity}) {
    LinearCase c = shape(13, 0, 41);
    c.activation = activation;
    LinearProblem<T> p(c, buffers);
    p.run();
    const T scale = reference::scale_of<T>(c.dropout.keep_prob);
    const auto bits = test::api_mask(c.dropout, 13 * 41);
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < 13 * 41; ++i) {
      const T bias = p.bias[i % 41];
      const bool kept = simdrop::mask_bit(bits, i);
      const T want = activation == Activation::relu
                         ? reference::bias_relu_dropout_as_documented(T{0}, bias, kept, scale)
                         : reference::dropout_as_documented(bias, kept, scale);
      wrong += p.y(i / 41, i % 41) == want ? 0 : 1;
    }
    CHECK(wrong == 0);
    test::check_backward_weights(c, p);  // db
    CHECK(buffers.intact());
  }
}

TEST_CASE_TEMPLATE("linear: dimensions of 0 are sums and results without elements", T, float,
                   double) {
  LinearBuffers<T> buffers;
  for (const std::size_t batch : {0U, 5U}) {
    for (const std::size_t in : {0U, 7U}) {
      for (const std::size_t out : {0U, 19U}) {
        for (const bool accumulate : {false, true}) {
          LinearCase c = shape(batch, in, out);
          c.pad = 0;
          c.accumulate = accumulate;
          test::check_linear(c, buffers);
          LinearProblem<T> p(c, buffers);
          p.run();
          if (batch > 0) continue;
          const T want = accumulate ? p.value_before : T{0};
          for (std::size_t i = 0; i < p.dw.size(); ++i) CHECK(p.dw.data[i] == want);
          for (const T db : p.db) CHECK(db == want);
        }
      }
    }
  }
  simdrop::LinearWorkspace workspace;
  const simdrop::MatrixView<const T> none;
  CHECK_NOTHROW(simdrop::linear_forward(none, none, {}, Activation::relu, {}, {}, workspace));
  CHECK_NOTHROW(simdrop::linear_backward_input(none, none, none, 0.5, {}, workspace));
  CHECK_NOTHROW(simdrop::linear_backward_weights(none, none, 1.0, false, {}, {}, workspace));
}
