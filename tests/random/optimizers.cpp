// Optimizer::update() with any hyperparameters against the formulas.
#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "helpers/guarded_buffer.h"
#include "helpers/optimizer_cases.h"
#include "random/cases.h"
#include "random/optimizer_draw.h"

namespace {

using namespace simdrop;
using random_case::Draw;

// A number of rows and their length: one row of any length, or several.
struct Rows {
  std::size_t count, length;
};
Rows any_rows(Draw& draw) {
  if (draw.one_in(40)) return {10 + draw.below(20), 2000 + draw.below(99)};  // more threads
  return {draw.one_in(2) ? 1 : draw.below(9), draw.below(draw.one_in(4) ? 600 : 40)};
}

void check_steps(Draw& draw) {
  static test::GuardedBuffer<float> weights_buffer(1 << 17), gradient_buffer(1 << 17);
  const OptimizerConfig config = random_case::any_optimizer(draw);
  const Rows rows = any_rows(draw);
  const std::size_t n = rows.count * rows.length;
  const std::size_t row_length = draw.one_in(2) && n != 0 ? rows.length : 0;
  const auto seed = static_cast<std::uint32_t>(draw.word());
  const auto edge = draw.one_in(2) ? test::Edge::start : test::Edge::end;
  const auto weights =
      weights_buffer.place(std::span<const float>(fixture::uniform(n, seed)), edge, draw.below(9));
  Optimizer optimizer(config, {3, n});
  reference::ReferenceOptimizer oracle(fixture::hyperparameters(config, row_length), n);
  for (std::uint32_t step = 1; step <= 1 + seed % 3; ++step) {
    const auto values = fixture::gradient_of(n, seed % 1000 + step);
    const auto gradient =
        gradient_buffer.place(std::span<const float>(values), test::Edge::end, draw.below(9));
    const float* const data = weights.data();
    auto want = fixture::tensor_of({data, 1, n});
    oracle.step(want.values, fixture::tensor_of({gradient.data(), 1, n}).values);
    optimizer.begin_step();
    optimizer.update(1, weights, gradient, draw.threads(), row_length);
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < n; ++i) {
      const auto& w = want(0, i);
      wrong += std::abs(static_cast<double>(weights[i]) - w.value) <= w.bound ? 0U : 1U;
    }
    CAPTURE(n);
    CAPTURE(row_length);
    CAPTURE(static_cast<int>(config.kind));
    CHECK(wrong == 0);
    CHECK((weights_buffer.intact() && gradient_buffer.intact()));
    CHECK(fixture::same_bits(values, {gradient.begin(), gradient.end()}));
  }
}

}  // namespace

TEST_CASE("random: optimisers") {
  random_case::for_each_case(4000, check_steps);
}
