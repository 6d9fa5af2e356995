// Results are the same, bit for bit, on any number of threads, and whether or not they are
// recorded.
#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

#include "helpers/mlp_fixtures.h"
#include "helpers/test_sizes.h"

namespace {

using namespace simdrop;

struct Outcome {
  std::vector<float> parameters, gradients, output, prediction;
  std::vector<double> losses;
};

// Gradients only where both kept them.
bool same(const Outcome& x, const Outcome& y) {
  const bool both = !x.gradients.empty() && !y.gradients.empty();
  return fixture::same_bits(x.parameters, y.parameters) &&
         (!both || fixture::same_bits(x.gradients, y.gradients)) &&
         fixture::same_bits(x.output, y.output) && fixture::same_bits(x.prediction, y.prediction) &&
         x.losses == y.losses;
}

Outcome train(const MlpConfig& config, const OptimizerConfig& optimizer_config, int steps) {
  Mlp mlp(config);
  Optimizer optimizer(optimizer_config, mlp.parameter_sizes());
  const auto batch = fixture::make_batch(config, config.max_batch, 19);
  Outcome out;
  for (int i = 0; i < steps; ++i) {
    out.losses.push_back(mlp.train_step(batch.inputs(), batch.targets(), optimizer, 7));
  }
  REQUIRE(std::isfinite(out.losses.back()));
  out.parameters = fixture::parameters(mlp);
  if (config.keep_gradients || config.record) out.gradients = fixture::gradients(mlp);
  out.output = fixture::copy_of(mlp.a(mlp.num_layers()));
  out.prediction.resize(batch.rows * batch.outputs);
  mlp.predict(batch.inputs(), {out.prediction.data(), batch.rows, batch.outputs});
  return out;
}

MlpConfig plain_config(const std::vector<std::size_t>& widths, Loss loss, std::size_t rows) {
  auto config =
      fixture::make_config(widths, loss, std::vector<double>(widths.size() - 1, 0.7), rows);
  config.record = false;
  config.seed = 5;
  return config;
}

// Trains on one thread, then on each other count, and compares all there is; with gradients that
// are kept, and with updates in the epilogue of the products.
void check_threads(const std::vector<std::size_t>& widths, Loss loss, std::size_t rows,
                   const OptimizerConfig& optimizer, int steps,
                   DropoutUnit unit = DropoutUnit::element, bool lazy = false) {
  auto config = plain_config(widths, loss, rows);
  config.dropout_unit = unit;
  config.lazy_updates = lazy;
  CAPTURE(lazy);
  const std::string network = fixture::describe(config);
  CAPTURE(network);
  CAPTURE(rows);
  config.keep_gradients = true;
  const Outcome one = train(config, optimizer, steps);
  REQUIRE(!one.gradients.empty());
  for (const bool keep : {true, false}) {
    CAPTURE(keep);
    config.keep_gradients = keep;
    for (const int threads : test::thread_counts()) {
      CAPTURE(threads);
      config.num_threads = threads;
      CHECK(same(train(config, optimizer, steps), one));
    }
  }
}

const OptimizerConfig momentum{.learning_rate = 0.01, .momentum = 0.9, .weight_decay = 1e-3};
const OptimizerConfig adamw{.kind = OptimizerKind::adamw, .weight_decay = 0.01};

}  // namespace

TEST_CASE("mlp: training is the same on 1 to 8 threads") {
  for (const std::size_t rows : {std::size_t{1}, std::size_t{7}, std::size_t{129}}) {
    check_threads({3, 17, 33, 3}, Loss::sigmoid_bce, rows, momentum, 20);
    check_threads({1, 100, 1, 17}, Loss::identity_mse, rows, adamw, 20);
    check_threads({33, 100, 17, 10}, Loss::softmax_ce, rows, momentum, 20);
  }
}

TEST_CASE("mlp: training a network that keeps threads busy is the same on 1 to 8 of them") {
  const int steps = test::case_stride() > 3 ? 2 : 5;
  check_threads({257, 300, 129, 10}, Loss::softmax_ce, 129, momentum, steps);
  check_threads({130, 513, 10}, Loss::identity_mse, 65, adamw, steps);
}

TEST_CASE("mlp: training that drops neurons is the same on 1 to 8 threads") {
  const auto neuron = DropoutUnit::neuron;
  const OptimizerConfig constrained{.learning_rate = 0.01, .momentum = 0.9, .max_norm = 0.8};
  const int steps = test::case_stride() > 3 ? 2 : 8;
  for (const bool lazy : {false, true}) {
    for (const std::size_t rows : {std::size_t{1}, std::size_t{7}, std::size_t{129}}) {
      if (steps == 2 && rows != 7) continue;
      check_threads({3, 17, 33, 3}, Loss::sigmoid_bce, rows, momentum, steps, neuron, lazy);
      check_threads({20, 100, 1, 17}, Loss::identity_mse, rows, adamw, steps, neuron, lazy);
      check_threads({1, 1, 1}, Loss::identity_mse, rows, momentum, steps, neuron, lazy);
      check_threads({257, 10}, Loss::softmax_ce, rows, constrained, steps, neuron, lazy);
    }
    check_threads({257, 300, 129, 10}, Loss::softmax_ce, 129, momentum, steps, neuron, lazy);
    check_threads({130, 513, 10}, Loss::identity_mse, 65, constrained, steps, neuron, lazy);
  }
}

TEST_CASE("mlp: recording changes no result") {
  for (const Loss loss : fixture::all_losses) {
    for (const std::size_t rows : {std::size_t{1}, std::size_t{7}, std::size_t{129}}) {
      CAPTURE(static_cast<int>(loss));
      CAPTURE(rows);
      auto config = plain_config({33, 100, 17, 3}, loss, rows);
      config.keep_gradients = true;
      const Outcome plain = train(config, momentum, 20);
      config.record = true;
      CHECK(same(train(config, momentum, 20), plain));
      config.num_threads = 3;
      CHECK(same(train(config, momentum, 20), plain));
    }
  }
}

TEST_CASE("mlp: recording changes nothing under injected masks") {
  for (const double keep_prob : {1.0, 0.5, 0.0}) {
    auto config = fixture::make_config({9, 21, 14, 3}, Loss::softmax_ce, {0.8, keep_prob, 0.6}, 11);
    const auto batch = fixture::make_batch(config, 11, 3);
    std::vector<std::vector<float>> got;
    for (const bool record : {true, false}) {
      config.record = record;
      Mlp mlp(config);
      fixture::inject_random_masks(mlp, 11, 3);
      mlp.forward(batch.inputs(), 0);
      mlp.backward(batch.targets());
      got.push_back(fixture::gradients(mlp));
    }
    CHECK(fixture::same_bits(got[0], got[1]));
  }
}

TEST_CASE("mlp: what came before leaves no trace in a step") {
  for (const DropoutUnit unit : {DropoutUnit::element, DropoutUnit::neuron}) {
    auto config = plain_config({33, 100, 17, 3}, Loss::softmax_ce, 129);
    config.dropout_unit = unit;
    const auto batch = fixture::make_batch(config, 129, 3);
    const auto part = batch.slice(0, 7);
    Mlp fresh(config);
    fresh.forward(part.inputs(), 3);
    fresh.backward(part.targets());
    Mlp used(config);
    used.forward(batch.inputs(), 1);
    used.backward(batch.targets());
    used.forward(batch.inputs(), 2);
    used.forward(part.inputs(), 3);
    used.backward(part.targets());
    CHECK(fixture::same_bits(fixture::gradients(used), fixture::gradients(fresh)));
  }
}
