// Inside somebody else's parallel region the library starts no threads of its own.
#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <thread>
#include <vector>

#include "helpers/mlp_fixtures.h"
#include "helpers/parallel_region.h"
#include "threading/parallel.h"

namespace {

using namespace simdrop;

constexpr int team_threads = 4;

// What one thread computes by itself with an Mlp of its own that asks for threads.
std::vector<float> train(DropoutUnit unit, int num_threads) {
  auto config = fixture::make_config({130, 513, 129, 10}, Loss::softmax_ce, {0.8, 0.5, 0.7}, 65);
  config.num_threads = num_threads;
  config.dropout_unit = unit;
  Mlp mlp(config);
  Optimizer optimizer({.learning_rate = 0.01, .momentum = 0.9}, mlp.parameter_sizes());
  const auto batch = fixture::make_batch(config, 65, 7);
  for (int step = 0; step < 3; ++step) {
    mlp.train_step(batch.inputs(), batch.targets(), optimizer);
  }
  std::vector<float> result = fixture::parameters(mlp);
  const auto gradients = fixture::gradients(mlp);
  result.insert(result.end(), gradients.begin(), gradients.end());
  std::vector<float> out(batch.rows * batch.outputs);
  mlp.predict(batch.inputs(), {out.data(), batch.rows, batch.outputs});
  result.insert(result.end(), out.begin(), out.end());
  return result;
}

}  // namespace

TEST_CASE("parallel: inside another region work stays whole, on the thread that called") {
  std::atomic<int> wrong{0};
  test::in_parallel_region(team_threads, [&](int) {
    const auto caller = std::this_thread::get_id();
    int calls = 0;
    detail::parallel_for(1000, 1, 8, [&](std::size_t begin, std::size_t end) {
      ++calls;
      if (begin != 0 || end != 1000 || std::this_thread::get_id() != caller) ++wrong;
    });
    if (calls != 1 || detail::team_size(8) != 1 || detail::team_size(0) != 1) ++wrong;
  });
  CHECK(wrong == 0);
}

TEST_CASE("parallel: an Mlp inside another region computes what it does outside") {
  for (const DropoutUnit unit : {DropoutUnit::element, DropoutUnit::neuron}) {
    const auto want = train(unit, 1);
    std::array<std::vector<float>, team_threads> got;
    test::in_parallel_region(team_threads, [&](int rank) {
      got[static_cast<std::size_t>(rank)] = train(unit, rank == 0 ? 0 : 8);
    });
    for (const auto& result : got) CHECK(fixture::same_bits(result, want));
  }
}
