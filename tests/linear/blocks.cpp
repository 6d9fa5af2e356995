// The linear layer beside the sizes at which its products are cut into blocks and tiles, between
// guard pages, against the oracle.
#include <doctest/doctest.h>

#include <random>

#include "helpers/linear_check.h"
#include "helpers/test_sizes.h"

namespace {

using test::Edge;
using test::LinearBuffers;
using test::LinearCase;

// Slow builds look at one element in so many.
std::size_t element_stride() {
  return test::case_stride() > 3 ? 37 : 1;
}

LinearCase shape(std::size_t batch, std::size_t in, std::size_t out) {
  LinearCase c;
  c.batch = batch;
  c.in = in;
  c.out = out;
  return c;
}

// Each dimension is the length of the sums in one of the products: all of them by turns.
template <class T>
void check_turns(std::size_t a, std::size_t b, std::size_t c, LinearBuffers<T>& buffers) {
  for (LinearCase turn : {shape(a, b, c), shape(b, c, a), shape(c, a, b)}) {
    turn.pad = turn.batch % 2;
    turn.accumulate = turn.in % 2 == 0;
    turn.alpha = turn.accumulate ? -0.37 : 1.0 / static_cast<double>(turn.batch);
    test::check_linear(turn, buffers, element_stride());
  }
}

}  // namespace

TEST_CASE_TEMPLATE("linear: sums of lengths beside those of blocks", T, float, double) {
  LinearBuffers<T> buffers;
  const bool all = test::case_stride() == 1;
  for (const std::size_t edge : {256U, 512U, 1024U}) {
    for (const std::size_t k : {edge - 1, edge, edge + 1}) {
      check_turns<T>(17, k, 33, buffers);
      if (all) check_turns<T>(49, k, 7, buffers);
    }
  }
}

TEST_CASE_TEMPLATE("linear: outputs beside multiples of tiles", T, float, double) {
  LinearBuffers<T> buffers;
  const std::size_t stride = test::case_stride() > 3 ? 7 : 1;
  std::size_t i = 0;
  for (const std::size_t tile : {6U, 8U, 12U, 14U, 16U, 32U, 48U}) {
    for (const std::size_t tiles : {4U, 7U, 9U}) {
      for (const std::size_t m : {tile * tiles - 1, tile * tiles, tile * tiles + 1}) {
        if (i++ % stride == 0) check_turns<T>(m, 20, 43 + i % 11, buffers);
      }
    }
  }
}

TEST_CASE_TEMPLATE("linear: long and thin, and large", T, float, double) {
  LinearBuffers<T> buffers;
  check_turns<T>(515, 67, 129, buffers);
  check_turns<T>(2051, 9, 7, buffers);
  check_turns<T>(3, 4103, 5, buffers);
  check_turns<T>(5, 7, 2053, buffers);
  check_turns<T>(300, 31, 259, buffers);
  check_turns<T>(129, 1025, 130, buffers);
  check_turns<T>(1, 1, 10007, buffers);
  check_turns<T>(1, 999, 131, buffers);
}

TEST_CASE_TEMPLATE("linear: nothing outside of the arguments is read or written", T, float,
                   double) {
  LinearBuffers<T> buffers;
  std::mt19937 engine(31);
  const std::size_t count = 4000 / test::case_stride();
  for (std::size_t i = 0; i < count; ++i) {
    LinearCase c = shape(1 + engine() % 40, 1 + engine() % 40, 1 + engine() % 40);
    c.pad = engine() % 4;
    c.edge = engine() % 2 == 0 ? Edge::end : Edge::start;
    c.offset = i % 3 == 0 ? engine() % 17 : 0;
    c.activation = engine() % 3 == 0 ? simdrop::Activation::identity : simdrop::Activation::relu;
    c.dropout.keep_prob = engine() % 4 == 0 ? 1.0 : 0.8;
    c.bias = engine() % 3 != 0;
    c.mask = engine() % 2 == 0;
    c.stored = engine() % 2 == 0;
    c.accumulate = engine() % 2 == 0;
    c.db = engine() % 3 != 0;
    test::check_linear(c, buffers);
  }
}

TEST_CASE_TEMPLATE("linear: db is the sum of the rows in order", T, float, double) {
  LinearBuffers<T> buffers;
  for (const std::size_t batch : {1U, 2U, 3U, 17U, 64U, 259U, 1031U}) {
    for (const std::size_t out : {1U, 7U, 16U, 33U, 100U}) {
      LinearCase c = shape(batch, 5, out);
      c.alpha = 0.37;
      INFO_LINEAR(c);
      test::LinearProblem<T> p(c, buffers);
      p.run();
      std::size_t wrong = 0;
      for (std::size_t i = 0; i < out; ++i) {
        T sum{0};
        for (std::size_t r = 0; r < batch; ++r) sum += p.dy(r, i);
        wrong += p.db[i] == static_cast<T>(c.alpha) * sum ? 0 : 1;
      }
      CHECK(wrong == 0);
    }
  }
}
