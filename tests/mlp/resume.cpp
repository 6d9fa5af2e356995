// A run that is stopped, copied and resumed is the run that was not, to the last bit.
#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "helpers/mlp_fixtures.h"

namespace {

using namespace simdrop;

// What a run drops, and how it updates that.
struct Kind {
  DropoutUnit unit;
  bool lazy;
};
constexpr Kind kinds[] = {
    {DropoutUnit::element, false}, {DropoutUnit::neuron, false}, {DropoutUnit::neuron, true}};

MlpConfig config_of(const Kind& kind, int num_threads) {
  auto config = fixture::make_config({13, 40, 21, 4}, Loss::softmax_ce, {0.8, 0.5, 0.7}, 32);
  config.record = false;
  config.seed = 77;
  config.dropout_unit = kind.unit;
  config.lazy_updates = kind.lazy;
  config.num_threads = num_threads;
  return config;
}

// Steps [begin, end) over four batches by turns, each in two parts of unequal size.
void train(Mlp& mlp, Optimizer& optimizer, int begin, int end, std::vector<double>& losses) {
  for (int step = begin; step < end; ++step) {
    const auto rows = static_cast<std::size_t>(step % 3 == 0 ? 32 : 19);
    const auto batch =
        fixture::make_batch(mlp.config(), rows, static_cast<std::uint32_t>(5 * (step % 4)));
    losses.push_back(mlp.train_step(batch.inputs(), batch.targets(), optimizer, 32));
  }
}

void copy_parameters(const Mlp& from, Mlp& to) {
  for (std::size_t l = 1; l <= from.num_layers(); ++l) {
    const ConstMatrix w = from.weights(l);
    for (std::size_t r = 0; r < w.rows; ++r) std::copy_n(w.row(r), w.cols, to.weights(l).row(r));
    std::ranges::copy(from.bias(l), to.bias(l).begin());
  }
}

void check_resume(const Kind& kind, const OptimizerConfig& optimizer_config, int cut) {
  constexpr int steps = 30;
  CAPTURE(cut);
  CAPTURE(static_cast<int>(kind.unit));
  CAPTURE(kind.lazy);
  std::vector<double> whole_losses, losses;
  Mlp whole(config_of(kind, 1));
  Optimizer optimizer(optimizer_config, whole.parameter_sizes());
  train(whole, optimizer, 0, steps, whole_losses);

  Mlp first(config_of(kind, 1));
  Optimizer first_optimizer(optimizer_config, first.parameter_sizes());
  train(first, first_optimizer, 0, cut, losses);
  Mlp second(config_of(kind, 2));
  copy_parameters(first, second);
  Optimizer second_optimizer(first_optimizer);
  train(second, second_optimizer, cut, steps, losses);

  CHECK(losses == whole_losses);
  CHECK(std::adjacent_find(losses.begin(), losses.end()) == losses.end());
  CHECK(fixture::same_bits(fixture::parameters(second), fixture::parameters(whole)));
  CHECK(second_optimizer.step_count() == static_cast<std::uint64_t>(steps));
}

}  // namespace

TEST_CASE("mlp: a run cut in two has the loss curve of one run, to the last bit") {
  const OptimizerConfig optimizers[] = {
      {.learning_rate = 0.05, .momentum = 0.9, .weight_decay = 1e-3},
      {.kind = OptimizerKind::adam, .learning_rate = 0.01},
      {.kind = OptimizerKind::adamw, .learning_rate = 0.01, .weight_decay = 0.01}};
  for (const OptimizerConfig& optimizer : optimizers) {
    CAPTURE(static_cast<int>(optimizer.kind));
    for (const Kind& kind : kinds) {
      check_resume(kind, optimizer, 15);
      check_resume(kind, optimizer, 1);
    }
  }
}
