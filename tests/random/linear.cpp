// The linear layer on any arguments: each sum is the one chain over k that src/README.md states, so
// that every element is known bit for bit.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include "helpers/public_mask.h"
#include "random/cases.h"
#include "random/guarded_matrix.h"
#include "reference/dropout_reference.h"
#include "simdrop/isa.hpp"
#include "simdrop/linear.hpp"

namespace {

using namespace simdrop;
using random_case::Draw;
using random_case::GuardedMatrix;

// term(0), term(1), ... are pairs of factors, whose products are added in order to +0.
template <class T, class Factors>
T chain(std::size_t k, Factors factors) {
  static const bool fused = active_isa() != Isa::scalar;
  T sum{0};
  for (std::size_t p = 0; p < k; ++p) {
    const auto [a, b] = factors(p);
    sum = fused ? std::fma(a, b, sum) : a * b + sum;
  }
  return sum;
}

template <class T>
T scale_of(double keep_prob) {
  return static_cast<T>(
      std::min(1.0 / keep_prob, static_cast<double>(std::numeric_limits<T>::max())));
}

template <class T>
struct Buffers {
  GuardedMatrix<T> x, weights, bias, y, dy, stored, dx, dw, db;
  test::GuardedBuffer<std::uint8_t> mask{1 << 15};
  LinearWorkspace workspace;
};

struct Shape {
  std::size_t batch, in, out;
  bool special;
};

template <class T>
void check_forward(Draw& draw, const Shape& s, Buffers<T>& b) {
  const auto spec = draw.mask_spec();
  const bool relu = draw.one_in(2), with_bias = draw.one_in(2), with_mask = draw.one_in(2);
  b.bias.place(draw, 1, s.out, s.special);
  b.y.place(draw, s.batch, s.out, false);
  const auto bits = reference::mask(spec, s.batch * s.out);
  const T scale = scale_of<T>(spec.keep_prob);
  const auto x = b.x.view(), w = b.weights.view();
  for (std::size_t r = 0; r < s.batch; ++r) {
    for (std::size_t c = 0; c < s.out; ++c) {
      const T sum = chain<T>(s.in, [&](std::size_t p) { return std::pair(w(c, p), x(r, p)); });
      const T bias = with_bias ? b.bias.elements()[c] : T{0};
      const bool kept = random_case::bit(bits, r * s.out + c) && spec.keep_prob > 0.0;
      b.y(r, c) = relu
                      ? reference::bias_relu_dropout_as_documented(sum, bias, kept, scale)
                      : reference::dropout_as_documented(with_bias ? sum + bias : sum, kept, scale);
    }
  }
  const auto mask = b.mask.place(with_mask ? bits.size() : 0, test::Edge::end, draw.below(9));
  CAPTURE(spec.keep_prob);
  CAPTURE(relu);
  CAPTURE(with_bias);
  linear_forward(x, w, with_bias ? std::span<const T>(b.bias.elements()) : std::span<const T>(),
                 relu ? Activation::relu : Activation::identity, test::to_dropout(spec), b.y.view(),
                 b.workspace, mask, draw.threads());
  CHECK(b.y.as_expected());
  if (with_mask) CHECK(std::ranges::equal(mask, bits));
  CHECK(b.mask.intact());
}

template <class T>
void check_backward_input(Draw& draw, const Shape& s, Buffers<T>& b) {
  const bool with_stored = draw.one_in(2);
  const double keep_prob = draw.keep_prob();
  b.stored.place(draw, s.batch, s.in, s.special);
  b.dx.place(draw, s.batch, s.in, false);
  const auto dy = b.dy.view(), w = b.weights.view(), stored = b.stored.view();
  const T scale = scale_of<T>(keep_prob);
  for (std::size_t r = 0; r < s.batch; ++r) {
    for (std::size_t c = 0; c < s.in; ++c) {
      const T sum = chain<T>(s.out, [&](std::size_t p) { return std::pair(w(p, c), dy(r, p)); });
      const T behind = reference::relu_dropout_backward_as_documented(stored(r, c), sum, scale);
      // With keep_prob 0 everything is dropped, whatever is stored.
      b.dx(r, c) = !with_stored ? sum : keep_prob == 0.0 ? T{0} : behind;
    }
  }
  CAPTURE(with_stored);
  CAPTURE(keep_prob);
  linear_backward_input(dy, w, with_stored ? MatrixView<const T>(stored) : MatrixView<const T>(),
                        keep_prob, b.dx.view(), b.workspace, draw.threads());
  CHECK(b.dx.as_expected());
}

template <class T>
void check_backward_weights(Draw& draw, const Shape& s, Buffers<T>& b) {
  const bool accumulate = draw.one_in(2), with_db = draw.one_in(2);
  const double alpha = draw.one_in(2) ? 1.0 : draw.between(-2.0, 2.0);
  const T factor = static_cast<T>(alpha);
  b.dw.place(draw, s.out, s.in, false);
  b.db.place(draw, 1, s.out, false);
  const auto dy = b.dy.view(), x = b.x.view();
  const auto put = [&](T& place, T sum) {
    const T gradient = factor * sum;
    place = accumulate ? place + gradient : gradient;
  };
  for (std::size_t o = 0; o < s.out; ++o) {
    for (std::size_t i = 0; i < s.in; ++i) {
      put(b.dw(o, i),
          chain<T>(s.batch, [&](std::size_t p) { return std::pair(dy(p, o), x(p, i)); }));
    }
    T sum{0};
    for (std::size_t r = 0; r < s.batch; ++r) sum += dy(r, o);
    if (with_db) put(b.db(0, o), sum);
  }
  CAPTURE(accumulate);
  CAPTURE(alpha);
  linear_backward_weights(dy, x, alpha, accumulate, b.dw.view(),
                          with_db ? b.db.elements() : std::span<T>(), b.workspace, draw.threads());
  CHECK(b.dw.as_expected());
  CHECK(b.db.as_expected());
}

template <class T>
void check_layer(Draw& draw, Buffers<T>& b) {
  const bool large = draw.one_in(60);  // more than one thread
  const auto length = [&] { return large ? 40 + draw.below(120) : draw.below(40); };
  const Shape s{length(), length(), length(), draw.one_in(4)};
  CAPTURE(s.batch);
  CAPTURE(s.in);
  CAPTURE(s.out);
  b.x.place(draw, s.batch, s.in, s.special);
  b.weights.place(draw, s.out, s.in, s.special);
  b.dy.place(draw, s.batch, s.out, s.special);
  check_forward(draw, s, b);
  check_backward_input(draw, s, b);
  check_backward_weights(draw, s, b);
  for (const auto* m : {&b.x, &b.weights, &b.bias, &b.dy, &b.stored}) CHECK(m->as_expected());
}

}  // namespace

TEST_CASE_TEMPLATE("random: the linear layer", T, float, double) {
  static Buffers<T> buffers;
  random_case::for_each_case(1500, [&](Draw& draw) { check_layer(draw, buffers); });
}
