// The training loop of the program.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include "cli/data/dataset.h"
#include "cli/trainer.h"
#include "mlp/config_fields.h"

namespace {

using namespace simdrop;
using namespace simdrop::cli;

io::Dataset moons(std::size_t rows, std::uint64_t id = 0) {
  return io::make_moons(rows, 0.2, {7, id});
}

TrainerConfig moons_config(std::vector<std::size_t> widths) {
  TrainerConfig config;
  config.network.widths = std::move(widths);
  config.network.loss = Loss::sigmoid_bce;
  config.network.seed = 11;
  config.network.max_batch = 4;
  config.optimizer.learning_rate = 0.05;
  config.optimizer.momentum = 0.9;
  config.epochs = 3;
  return config;
}

std::vector<float> weights_of(const Mlp& network) {
  std::vector<float> values;
  for (std::size_t layer = 1; layer <= network.num_layers(); ++layer) {
    const ConstMatrix w = network.weights(layer);
    for (std::size_t r = 0; r < w.rows; ++r)
      values.insert(values.end(), w.row(r), w.row(r) + w.cols);
    const std::span<const float> b = network.bias(layer);
    values.insert(values.end(), b.begin(), b.end());
  }
  return values;
}

}  // namespace

TEST_CASE("trainer: an epoch is the steps of the shuffled examples, the last partial batch too") {
  const io::Dataset data = moons(10);
  TrainerConfig config = moons_config({2, 8, 1});
  config.network.keep_prob = {0.5};
  Trainer trainer(config, data);
  CHECK(trainer.steps_per_epoch() == 3);

  Mlp network(config.network);
  Optimizer optimizer(config.optimizer, network.parameter_sizes());
  for (std::size_t epoch = 0; epoch < config.epochs; ++epoch) {
    const std::vector<std::size_t> order = io::epoch_order(10, config.network.seed, epoch);
    double loss = 0.0;
    for (const std::size_t begin : {0U, 4U, 8U}) {
      const std::size_t rows = std::min<std::size_t>(4, 10 - begin);
      std::vector<float> x;
      std::vector<float> y;
      for (std::size_t r = begin; r < begin + rows; ++r) {
        x.push_back(data.x[2 * order[r]]);
        x.push_back(data.x[2 * order[r] + 1]);
        y.push_back(data.labels[order[r]]);
      }
      const auto step = static_cast<double>(optimizer.step_count());
      optimizer.set_learning_rate(0.05 * (1.0 - step / 9.0));
      loss +=
          static_cast<double>(rows) * network.train_step(ConstMatrix(x.data(), rows, 2),
                                                         ConstMatrix(y.data(), rows, 1), optimizer);
    }
    std::size_t calls = 0;
    const EpochProgress progress = trainer.run_epoch([&](const EpochProgress& now) {
      ++calls;
      CHECK(now.step == calls);
    });
    CHECK(calls == 3);
    CHECK(progress.epoch == epoch);
    CHECK(progress.loss == loss / 10.0);
    CHECK(weights_of(trainer.network()) == weights_of(network));
  }
}

TEST_CASE("trainer: learning rate schedules") {
  const io::Dataset data = moons(10);
  TrainerConfig config = moons_config({2, 4, 1});
  Trainer linear(config, data);
  config.schedule = Schedule::constant;
  Trainer constant(config, data);
  for (const double want : {0.05, 0.05 * (1.0 - 3.0 / 9.0), 0.05 * (1.0 - 6.0 / 9.0), 0.0}) {
    CHECK(linear.learning_rate() == want);
    CHECK(constant.learning_rate() == 0.05);
    linear.run_epoch();
    constant.run_epoch();
  }
}

TEST_CASE("trainer: a learning rate falls over more steps than a number of 64 bits counts") {
  TrainerConfig config = moons_config({2, 4, 1});
  config.epochs = std::size_t{1} << 63;
  const io::Dataset data = moons(8);
  Trainer trainer(config, data);
  REQUIRE(trainer.steps_per_epoch() == 2);
  CHECK(trainer.learning_rate() == 0.05);
  trainer.run_epoch();
  CHECK(trainer.learning_rate() == doctest::Approx(0.05));
}

TEST_CASE("trainer: a hidden layer learns the moons better than a straight line does") {
  const io::Dataset train = moons(500, 0);
  const io::Dataset test = moons(2000, 1);
  TrainerConfig config = moons_config({2, 1});
  config.network.max_batch = 32;
  config.epochs = 60;
  Trainer line(config, train);
  config.network.widths = {2, 64, 64, 1};
  config.network.keep_prob = {0.9, 0.9};
  Trainer network(config, train);
  for (std::size_t epoch = 0; epoch < config.epochs; ++epoch) {
    line.run_epoch();
    network.run_epoch();
  }
  const double line_accuracy = line.evaluate(test).accuracy;
  CHECK(line_accuracy > 0.8);
  // Four standard errors of the difference of two accuracies.
  const double sigma = std::sqrt(2.0 * line_accuracy * (1.0 - line_accuracy) / 2000.0);
  CHECK(network.evaluate(test).accuracy > line_accuracy + 4.0 * sigma);
}

TEST_CASE("trainer: class labels train the same network through softmax and one-hot targets") {
  const io::Dataset train = moons(200);
  for (const Loss loss : {Loss::softmax_ce, Loss::sigmoid_bce, Loss::identity_mse}) {
    TrainerConfig config = moons_config({2, 16, 2});
    config.network.loss = loss;
    config.epochs = 20;
    Trainer trainer(config, train);
    const Evaluation before = trainer.evaluate(train);
    for (std::size_t epoch = 0; epoch < config.epochs; ++epoch) trainer.run_epoch();
    const Evaluation after = trainer.evaluate(train);
    CAPTURE(detail::name_of(loss));
    CHECK(after.loss < before.loss);
    CHECK(after.accuracy > 0.8);
  }
}

TEST_CASE("trainer: networks that do not fit the data are refused") {
  const io::Dataset data = moons(10);
  for (const auto& widths :
       std::vector<std::vector<std::size_t>>{{}, {2}, {3, 4, 1}, {2, 4, 3}, {1, 2}}) {
    CHECK_THROWS_AS(Trainer(moons_config(widths), data), std::invalid_argument);
  }
  TrainerConfig config = moons_config({2, 4, 1});
  config.network.loss = Loss::softmax_ce;
  CHECK_THROWS_AS(Trainer(config, data), std::invalid_argument);
  config = moons_config({2, 4, 1});
  config.network.max_batch = 0;
  CHECK_THROWS_AS(Trainer(config, data), std::invalid_argument);
}

TEST_CASE("count_correct: largest output, or one output against 1/2") {
  const std::vector<float> three{0.1F, 0.7F, 0.2F, 0.5F, 0.2F, 0.3F, 0.1F, 0.2F, 0.7F};
  const std::vector<std::uint8_t> labels{1, 0, 1};
  CHECK(count_correct(ConstMatrix(three.data(), 3, 3), labels) == 2);
  const std::vector<float> one{0.4F, 0.6F, 0.6F};
  CHECK(count_correct(ConstMatrix(one.data(), 3, 1), labels) == 1);
}

TEST_CASE("count_correct: a row with an output that is not finite is of no class") {
  constexpr float inf = std::numeric_limits<float>::infinity();
  for (const float bad : {std::nanf(""), -std::nanf(""), inf, -inf}) {
    for (std::size_t outputs = 1; outputs <= 4; ++outputs) {
      for (std::size_t at = 0; at < outputs; ++at) {
        std::vector<float> row(outputs, 0.25F);
        row[at] = bad;
        for (std::uint8_t label = 0; label < 4; ++label) {
          CAPTURE(bad);
          CAPTURE(outputs);
          CAPTURE(at);
          CHECK(count_correct(ConstMatrix(row.data(), 1, outputs), {&label, 1}) == 0);
        }
      }
    }
  }
}

TEST_CASE("trainer: training seconds add up over epochs") {
  const io::Dataset data = moons(40);
  Trainer trainer(moons_config({2, 8, 1}), data);
  double sum = 0.0;
  for (std::size_t epoch = 0; epoch < 3; ++epoch) {
    const EpochProgress progress = trainer.run_epoch();
    CHECK(progress.seconds > 0.0);
    sum += progress.seconds;
    CHECK(progress.train_seconds == sum);
  }
}

TEST_CASE("trainer: the unit of dropout and lazy updates reach the network") {
  const io::Dataset data = moons(40);
  const auto trained = [&](DropoutUnit unit, bool lazy_updates) {
    TrainerConfig config = moons_config({2, 8, 1});
    config.network.keep_prob = {0.5};
    config.network.dropout_unit = unit;
    config.network.lazy_updates = lazy_updates;
    Trainer trainer(config, data);
    for (std::size_t epoch = 0; epoch < 3; ++epoch) trainer.run_epoch();
    return weights_of(trainer.network());
  };
  const std::vector<float> element = trained(DropoutUnit::element, false);
  const std::vector<float> neuron = trained(DropoutUnit::neuron, false);
  const std::vector<float> lazy = trained(DropoutUnit::neuron, true);
  CHECK(element != neuron);
  CHECK(neuron != lazy);
  CHECK_THROWS_AS(trained(DropoutUnit::element, true), std::invalid_argument);
}
