// The linear layer gives the same bits on any number of threads, and inside somebody else's
// parallel region.
#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "helpers/linear_problem.h"
#include "helpers/parallel_region.h"
#include "helpers/test_sizes.h"

namespace {

using test::LinearBuffers;
using test::LinearCase;
using test::LinearProblem;

struct Size {
  std::size_t batch, in, out;
};
constexpr Size problem_sizes[] = {{1, 300, 517},  {128, 300, 257}, {515, 67, 129}, {7, 1000, 200},
                                  {300, 31, 259}, {64, 5, 1030},   {33, 513, 3},   {3, 2, 5}};

std::vector<LinearCase> cases() {
  std::vector<LinearCase> all;
  for (const Size& size : problem_sizes) {
    LinearCase c;
    c.batch = size.batch;
    c.in = size.in;
    c.out = size.out;
    c.pad = all.size() % 2;
    c.alpha = 1.0 / static_cast<double>(size.batch);
    c.accumulate = all.size() % 3 == 0;
    if (all.size() % 4 == 1) c.activation = simdrop::Activation::identity;
    all.push_back(c);
  }
  if (test::case_stride() > 3) all.resize(3);
  return all;
}

}  // namespace

TEST_CASE_TEMPLATE("linear: the same bits on 1 to 8 threads", T, float, double) {
  LinearBuffers<T> buffers;
  for (const LinearCase& c : cases()) {
    INFO_LINEAR(c);
    LinearProblem<T> p(c, buffers);
    p.run(1);
    const auto one = p.outcome();
    for (int threads = 1; threads <= 8; ++threads) {
      CAPTURE(threads);
      p.run(threads);
      CHECK(p.outcome() == one);
    }
    CHECK(buffers.intact());
  }
}

TEST_CASE_TEMPLATE("linear: a workspace leaves no trace, whatever used it before", T, float,
                   double) {
  LinearBuffers<T> buffers;
  const auto all = cases();
  std::vector<std::vector<std::uint8_t>> fresh;
  for (const LinearCase& c : all) {
    buffers.workspace = simdrop::LinearWorkspace();
    LinearProblem<T> p(c, buffers);
    p.run();
    fresh.push_back(p.outcome());
  }
  for (std::size_t i = all.size(); i-- > 0;) {
    INFO_LINEAR(all[i]);
    LinearProblem<T> p(all[i], buffers);
    p.run();
    CHECK(p.outcome() == fresh[i]);
  }
}

TEST_CASE("linear: one workspace serves both types, and one that was moved from is as new") {
  LinearBuffers<float> singles;
  LinearBuffers<double> doubles;
  const LinearCase c = cases()[1];
  LinearProblem<float> p(c, singles);
  LinearProblem<double> q(c, doubles);
  p.run();
  q.run();
  const auto want_single = p.outcome();
  const auto want_double = q.outcome();
  simdrop::LinearWorkspace shared;
  CHECK(shared.bytes() == 0);
  simdrop::LinearWorkspace other(std::move(shared));
  const auto check_both = [&](simdrop::LinearWorkspace& workspace) {
    p.run(1, workspace);
    q.run(1, workspace);
    CHECK(p.outcome() == want_single);
    CHECK(q.outcome() == want_double);
  };
  check_both(other);
  check_both(shared);  // NOLINT(bugprone-use-after-move)
  const std::size_t bytes = other.bytes();
  shared = std::move(other);
  CHECK(shared.bytes() == bytes);
  CHECK(other.bytes() == 0);  // NOLINT(bugprone-use-after-move)
  check_both(other);
}

TEST_CASE_TEMPLATE("linear: the same bits inside a caller's parallel region", T, float, double) {
  constexpr int team_threads = 4;
  for (const LinearCase& c : cases()) {
    INFO_LINEAR(c);
    LinearBuffers<T> buffers;
    LinearProblem<T> p(c, buffers);
    p.run();
    std::array<LinearBuffers<T>, team_threads> own;
    std::array<std::vector<std::uint8_t>, team_threads> got;
    test::in_parallel_region(team_threads, [&](int rank) {
      const auto i = static_cast<std::size_t>(rank);
      LinearProblem<T> mine(c, own[i]);
      mine.run(8);
      got[i] = mine.outcome();
    });
    for (const auto& bytes : got) CHECK(bytes == p.outcome());
  }
}
