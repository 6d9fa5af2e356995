// A repeated call of the linear layer allocates nothing; one that cannot allocate writes nothing.
#include <doctest/doctest.h>

#include <new>

#include "helpers/count_allocations.h"
#include "helpers/linear_problem.h"

namespace {

using test::LinearBuffers;
using test::LinearCase;
using test::LinearProblem;

struct Size {
  std::size_t batch, in, out;
};
constexpr Size problem_sizes[] = {
    {3, 2, 5}, {64, 70, 90}, {129, 300, 257}, {1, 1025, 130}, {0, 3, 4}};

LinearCase shape(const Size& size) {
  LinearCase c;
  c.batch = size.batch;
  c.in = size.in;
  c.out = size.out;
  return c;
}

}  // namespace

TEST_CASE_TEMPLATE("allocations: none in a repeated call of the linear layer", T, float, double) {
  LinearBuffers<T> buffers;
  for (const int threads : {1, 2}) {
    for (const Size& size : problem_sizes) {
      const LinearCase c = shape(size);
      INFO_LINEAR(c);
      LinearProblem<T> p(c, buffers);
      p.run(threads);
      const std::size_t bytes = buffers.workspace.bytes();
      CHECK(test::allocations_in([&] { p.run(threads); }) == 0);
      CHECK(buffers.workspace.bytes() == bytes);
    }
    // What the largest has left is enough for all.
    for (const Size& size : problem_sizes) {
      LinearProblem<T> p(shape(size), buffers);
      p.run(threads);
      CHECK(test::allocations_in([&] { p.run(threads); }) == 0);
    }
  }
}

TEST_CASE_TEMPLATE("allocations: without memory the linear layer writes nothing", T, float,
                   double) {
  LinearBuffers<T> buffers, small_buffers;
  LinearProblem<T> p(shape(problem_sizes[2]), buffers),
      small(shape(problem_sizes[0]), small_buffers);
  const auto before = p.outcome();
  // Whether call() threw; then it must have written nothing.
  const auto refused = [&](auto call) {
    bool threw = false;
    p.clear();
    test::refuse_allocations(1);
    try {
      call();
    } catch (const std::bad_alloc&) {
      threw = true;
    }
    test::refuse_allocations(0);
    if (threw) CHECK(p.outcome() == before);
    return threw;
  };
  // The first for want of a state at all; the second, if it needs more than a small layer does.
  simdrop::LinearWorkspace fresh, used;
  small.run(1, used);
  CHECK(refused([&] { p.forward(1, fresh); }));
  CHECK(refused([&] { p.backward_input(1, fresh); }));
  CHECK(refused([&] { p.backward_weights(1, fresh); }));
  refused([&] { p.forward(1, used); });
  refused([&] { p.backward_input(1, used); });
  refused([&] { p.backward_weights(1, used); });
  p.run(1, used);
  const auto want = p.outcome();
  p.run(1, fresh);
  CHECK(p.outcome() == want);
}
