// MlpConfig::lazy_updates: what dropped units had stays theirs, bit for bit, and the others take
// the steps of the formulas, with a state that has seen their own steps alone.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "helpers/mlp_fixtures.h"
#include "helpers/optimizer_cases.h"
#include "helpers/unit_masks.h"

namespace {

using namespace simdrop;

const OptimizerConfig optimizers[] = {
    {.learning_rate = 0.05},
    {.learning_rate = 0.05, .weight_decay = 0.1},
    {.learning_rate = 0.05, .momentum = 0.9},
    {.learning_rate = 0.05, .momentum = 0.9, .nesterov = true, .weight_decay = 0.1},
    {.learning_rate = 0.05, .momentum = 0.9, .max_norm = 0.9},
    {.kind = OptimizerKind::adam, .learning_rate = 0.01},
    {.kind = OptimizerKind::adam, .learning_rate = 0.01, .weight_decay = 0.1},
    {.kind = OptimizerKind::adamw, .learning_rate = 0.01, .weight_decay = 0.1},
    {.kind = OptimizerKind::adamw, .learning_rate = 0.01, .weight_decay = 0.1, .max_norm = 0.9}};

MlpConfig config_of(const std::vector<std::size_t>& widths, bool lazy) {
  auto config = fixture::make_config(widths, Loss::softmax_ce,
                                     std::vector<double>(widths.size() - 1, 0.6), 19);
  config.record = false;
  config.dropout_unit = DropoutUnit::neuron;
  config.lazy_updates = lazy;
  return config;
}

// Weights and biases by turns, as Mlp::parameter_sizes() counts them.
std::vector<float> array_of(const Mlp& mlp, std::size_t index) {
  const std::size_t l = index / 2 + 1;
  return fixture::copy_of(index % 2 == 0 ? mlp.weights(l) : ConstMatrix(mlp.bias(l)));
}
std::vector<float> gradient_of(const Mlp& mlp, std::size_t index) {
  const std::size_t l = index / 2 + 1;
  return fixture::copy_of(index % 2 == 0 ? mlp.dw(l) : ConstMatrix(mlp.db(l)));
}

// Which elements of that array connect kept units. Of max_norm: all of a row that has one.
std::vector<bool> touched_in(const Mlp& mlp, const fixture::UnitMasks& kept, std::size_t index) {
  const std::size_t l = index / 2 + 1;
  const auto keeps = [&](std::size_t layer, std::size_t unit) {
    return layer == mlp.num_layers() || kept[layer][unit];
  };
  const std::size_t ins = index % 2 == 0 ? mlp.config().widths[l - 1] : 1;
  std::vector<bool> touched(mlp.config().widths[l] * ins);
  for (std::size_t i = 0; i < touched.size(); ++i) {
    touched[i] = keeps(l, i / ins) && (index % 2 != 0 || keeps(l - 1, i % ins));
  }
  return touched;
}

std::vector<bool> with_rows_of(const std::vector<bool>& touched, std::size_t row_length) {
  std::vector<bool> out = touched;
  for (std::size_t row = 0; row < out.size(); row += row_length) {
    bool any = false;
    for (std::size_t i = row; i < row + row_length; ++i) any = any || touched[i];
    for (std::size_t i = row; i < row + row_length; ++i) out[i] = any;
  }
  return out;
}

// A parameter array and what the formulas make of it.
struct Oracle {
  reference::ReferenceOptimizer optimizer;
  reference::Tensor want;
};

std::vector<Oracle> oracles_of(const Mlp& mlp, const OptimizerConfig& config) {
  std::vector<Oracle> oracles;
  for (std::size_t index = 0; index < 2 * mlp.num_layers(); ++index) {
    const auto values = array_of(mlp, index);
    const std::size_t ins = index % 2 == 0 ? mlp.config().widths[index / 2] : 0;
    oracles.push_back({{fixture::hyperparameters(config, ins), values.size()},
                       fixture::tensor_of(std::span<const float>(values))});
  }
  return oracles;
}

// One parameter array after a step that kept those units.
void check_array(const Mlp& mlp, const fixture::UnitMasks& kept, std::size_t index,
                 const std::vector<float>& before, bool constrained, Oracle& oracle) {
  const auto touched = touched_in(mlp, kept, index);
  const auto gradient = gradient_of(mlp, index);
  const auto after = array_of(mlp, index);
  oracle.optimizer.step(oracle.want.values,
                        fixture::tensor_of(std::span<const float>(gradient)).values, touched);
  fixture::check_close(std::span<const float>(after), oracle.want, "parameters");
  const bool by_rows = constrained && index % 2 == 0;
  const auto may_move = by_rows ? with_rows_of(touched, mlp.config().widths[index / 2]) : touched;
  std::size_t moved = 0;
  std::size_t not_zero = 0;
  for (std::size_t j = 0; j < after.size(); ++j) {
    if (!may_move[j]) moved += fixture::same_bits({after[j]}, {before[j]}) ? 0 : 1;
    if (!touched[j]) not_zero += gradient[j] == 0.0F ? 0 : 1;
  }
  CHECK(moved == 0);
  CHECK(not_zero == 0);
  CHECK(after != before);
}

// Five steps, each under masks of its own: most units leave and come back.
void check_lazy_steps(const std::vector<std::size_t>& widths, const OptimizerConfig& config) {
  auto mlp_config = config_of(widths, true);
  mlp_config.keep_gradients = true;
  Mlp mlp(mlp_config);
  const std::string network = fixture::describe(mlp_config);
  INFO(network, ", optimiser ", &config - optimizers);
  fixture::randomise(mlp, 3);
  Optimizer optimizer(config, mlp.parameter_sizes());
  auto oracles = oracles_of(mlp, config);
  for (std::uint32_t step = 0; step < 5; ++step) {
    const auto kept = fixture::random_unit_masks(mlp_config, 0.6, step);
    fixture::inject_units(mlp, kept);
    std::vector<std::vector<float>> before;
    for (std::size_t i = 0; i < oracles.size(); ++i) before.push_back(array_of(mlp, i));
    const auto batch = fixture::make_batch(mlp_config, 19, 5 * step);
    mlp.train_step(batch.inputs(), batch.targets(), optimizer);
    for (std::size_t i = 0; i < oracles.size(); ++i) {
      INFO("step ", step, ", array ", i);
      check_array(mlp, kept, i, before[i], config.max_norm != 0.0, oracles[i]);
    }
  }
}

struct Outcome {
  std::vector<float> parameters, gradients;
  std::vector<double> losses;
};

Outcome train(const MlpConfig& config, const OptimizerConfig& optimizer_config, int steps,
              double probability) {
  Mlp mlp(config);
  fixture::randomise(mlp, 3);
  Optimizer optimizer(optimizer_config, mlp.parameter_sizes());
  Outcome out;
  for (int step = 0; step < steps; ++step) {
    const auto seed = static_cast<std::uint32_t>(step);
    fixture::inject_units(mlp, fixture::random_unit_masks(config, probability, seed));
    const auto batch = fixture::make_batch(config, config.max_batch, 5 * seed);
    out.losses.push_back(mlp.train_step(batch.inputs(), batch.targets(), optimizer));
  }
  out.parameters = fixture::parameters(mlp);
  if (config.keep_gradients || config.record) out.gradients = fixture::gradients(mlp);
  return out;
}

}  // namespace

TEST_CASE("mlp neuron: lazy updates touch what is kept, by the formulas, and nothing else") {
  for (const OptimizerConfig& optimizer : optimizers) {
    check_lazy_steps({33, 40, 17, 4}, optimizer);
    check_lazy_steps({70, 5}, optimizer);
  }
}

// The same state and the same gradients; max_norm is left out, as it would look at other rows.
TEST_CASE("mlp neuron: the first lazy step moves what is kept as any step does") {
  for (OptimizerConfig optimizer_config : optimizers) {
    optimizer_config.max_norm = 0.0;
    std::vector<Mlp> networks;
    const auto config = config_of({33, 40, 17, 4}, false);
    const auto kept = fixture::random_unit_masks(config, 0.6, 7);
    const auto batch = fixture::make_batch(config, 19, 5);
    for (const bool lazy : {false, true}) {
      networks.emplace_back(config_of(config.widths, lazy));
      Mlp& mlp = networks.back();
      fixture::randomise(mlp, 3);
      fixture::inject_units(mlp, kept);
      Optimizer optimizer(optimizer_config, mlp.parameter_sizes());
      mlp.train_step(batch.inputs(), batch.targets(), optimizer);
    }
    for (std::size_t i = 0; i < 6; ++i) {
      const auto touched = touched_in(networks[0], kept, i);
      const auto dense = array_of(networks[0], i);
      const auto lazy = array_of(networks[1], i);
      std::size_t wrong = 0;
      for (std::size_t j = 0; j < dense.size(); ++j) {
        if (touched[j]) wrong += fixture::same_bits({lazy[j]}, {dense[j]}) ? 0 : 1;
      }
      CHECK(wrong == 0);
    }
  }
}

TEST_CASE("mlp neuron: lazy updates of everything are updates") {
  for (const OptimizerConfig& optimizer : optimizers) {
    const auto dense = train(config_of({33, 40, 17, 4}, false), optimizer, 6, 1.0);
    const auto lazy = train(config_of({33, 40, 17, 4}, true), optimizer, 6, 1.0);
    CHECK(fixture::same_bits(lazy.parameters, dense.parameters));
    CHECK(lazy.losses == dense.losses);
  }
}

TEST_CASE("mlp neuron: lazy updates that keep gradients are the same") {
  for (const OptimizerConfig& optimizer : optimizers) {
    auto config = config_of({33, 40, 17, 4}, true);
    const auto plain = train(config, optimizer, 6, 0.6);
    config.keep_gradients = true;
    const auto keeping = train(config, optimizer, 6, 0.6);
    config.record = true;
    config.num_threads = 2;
    const auto recording = train(config, optimizer, 6, 0.6);
    CHECK(fixture::same_bits(keeping.parameters, plain.parameters));
    CHECK(fixture::same_bits(recording.parameters, plain.parameters));
    CHECK(keeping.losses == plain.losses);
    CHECK(fixture::same_bits(recording.gradients, keeping.gradients));
    const bool has_state = optimizer.momentum != 0.0 || optimizer.kind != OptimizerKind::sgd ||
                           optimizer.weight_decay != 0.0 || optimizer.max_norm != 0.0;
    config.lazy_updates = false;
    const auto dense = train(config, optimizer, 6, 0.6);
    CHECK((dense.parameters != plain.parameters) == has_state);
  }
}

TEST_CASE("mlp neuron: weights of dropped units take no part, so NaN among them stays there") {
  constexpr float nan = std::numeric_limits<float>::quiet_NaN();
  for (const bool lazy : {false, true}) {
    auto config = config_of({33, 40, 17, 4}, lazy);
    config.keep_gradients = true;
    Mlp mlp(config);
    fixture::randomise(mlp, 3);
    const auto kept = fixture::random_unit_masks(config, 0.6, 7);
    fixture::inject_units(mlp, kept);
    for (std::size_t i = 0; i < 6; ++i) {
      const auto touched = touched_in(mlp, kept, i);
      const std::size_t l = i / 2 + 1;
      float* array = i % 2 == 0 ? mlp.weights(l).data : mlp.bias(l).data();
      for (std::size_t j = 0; j < touched.size(); ++j) array[j] = touched[j] ? array[j] : nan;
    }
    const auto batch = fixture::make_batch(config, 19, 5);
    Optimizer optimizer({.learning_rate = 0.05, .momentum = 0.9}, mlp.parameter_sizes());
    for (int step = 0; step < 2; ++step) {
      CHECK(std::isfinite(mlp.train_step(batch.inputs(), batch.targets(), optimizer)));
      for (const float g : fixture::gradients(mlp)) CHECK(std::isfinite(g));
    }
    for (std::size_t i = 0; i < 6; ++i) {
      const auto touched = touched_in(mlp, kept, i);
      const auto values = array_of(mlp, i);
      for (std::size_t j = 0; j < touched.size(); ++j)
        CHECK(std::isfinite(values[j]) == touched[j]);
    }
  }
}
