// Training that diverges: found in every place where it can be, told by epoch and step.
#include "cli/divergence.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "cli/data/dataset.h"
#include "cli/trainer.h"
#include "helpers/temporary_directory.h"
#include "mlp/checkpoint_access.h"
#include "mlp/config_fields.h"

namespace {

using namespace simdrop;
using namespace simdrop::cli;

constexpr float inf = std::numeric_limits<float>::infinity();

io::Dataset moons(std::size_t rows) {
  return io::make_moons(rows, 0.2, {7, 0});
}

TrainerConfig config_of(std::vector<std::size_t> widths, Loss loss, OptimizerKind kind,
                        double learning_rate) {
  TrainerConfig config;
  config.network.widths = std::move(widths);
  config.network.loss = loss;
  config.network.max_batch = 4;
  config.optimizer.kind = kind;
  config.optimizer.learning_rate = learning_rate;
  if (kind == OptimizerKind::sgd) config.optimizer.momentum = 0.9;
  config.schedule = Schedule::constant;
  config.epochs = 8;
  return config;
}

Checkpoint new_run(const TrainerConfig& config) {
  Mlp mlp(config.network);
  Optimizer optimizer(config.optimizer, mlp);
  return {std::move(mlp), std::move(optimizer), {}};
}

template <class Fn>
std::string divergence(Fn fn) {
  try {
    fn();
  } catch (const Divergence& found) {
    return found.what();
  }
  return "none";
}

// The first step whose loss is not finite, counted from 1, and that loss.
std::pair<std::size_t, double> first_bad_step(const TrainerConfig& config,
                                              const io::Dataset& data) {
  Checkpoint run = new_run(config);
  for (std::size_t epoch = 0; epoch < config.epochs; ++epoch) {
    const auto order = io::epoch_order(data.rows(), config.network.seed, epoch);
    for (std::size_t begin = 0; begin < data.rows(); begin += 4) {
      std::vector<float> x;
      std::vector<float> values;
      std::vector<std::uint8_t> labels;
      for (std::size_t r = begin; r < begin + 4; ++r) {
        x.insert(x.end(), {data.x[2 * order[r]], data.x[2 * order[r] + 1]});
        labels.push_back(data.labels[order[r]]);
        values.push_back(labels.back() == 0 ? 1.0F : 0.0F);
        values.push_back(labels.back() == 1 ? 1.0F : 0.0F);
      }
      const Targets targets = config.network.loss == Loss::softmax_ce
                                  ? Targets(labels)
                                  : Targets(ConstMatrix(values.data(), 4, 2));
      const double loss = run.mlp.train_step(ConstMatrix(x.data(), 4, 2), targets, *run.optimizer);
      if (!std::isfinite(loss)) return {run.optimizer->step_count(), loss};
    }
  }
  return {0, 0.0};
}

// Every array that a file of the run holds, in the order of the file.
std::vector<std::span<float>> arrays_of(Checkpoint& run) {
  std::vector<std::span<float>> arrays;
  for (std::size_t layer = 1; layer <= run.mlp.num_layers(); ++layer) {
    const Matrix w = run.mlp.weights(layer);
    REQUIRE(w.ld == w.cols);
    arrays.emplace_back(w.data, w.rows * w.cols);
    arrays.push_back(run.mlp.bias(layer));
  }
  const std::size_t parameters = arrays.size();
  const bool sgd = run.optimizer->config().kind == OptimizerKind::sgd;
  for (std::size_t which = 0; which < (sgd ? 1U : 2U); ++which) {
    for (std::size_t i = 0; i < parameters; ++i) {
      arrays.push_back(detail::optimizer_state(*run.optimizer, which, i));
    }
  }
  return arrays;
}

}  // namespace

TEST_CASE("divergence: all_finite sees any value at any place of any length") {
  for (std::size_t length = 0; length < 40; ++length) {
    std::vector<float> values(length, std::numeric_limits<float>::max());
    CHECK(all_finite(values));
    for (float& value : values) {
      for (const float bad : {std::nanf(""), -std::nanf(""), inf, -inf}) {
        const float good = std::exchange(value, bad);
        CHECK_FALSE(all_finite(values));
        value = good;
      }
    }
  }
  CHECK(all_finite(std::vector{-std::numeric_limits<float>::max(), -0.0F,
                               std::numeric_limits<float>::denorm_min()}));
  CHECK(not_finite_text(std::nan("")) == "nan");
  CHECK(not_finite_text(-std::nan("")) == "nan");
  CHECK(not_finite_text(HUGE_VAL) == "inf");
  CHECK(not_finite_text(-HUGE_VAL) == "-inf");
}

TEST_CASE("divergence: the first step whose loss is not finite is named, and is the last one") {
  const io::Dataset data = moons(20);
  bool later = false;
  for (const Loss loss : {Loss::softmax_ce, Loss::sigmoid_bce, Loss::identity_mse}) {
    for (const OptimizerKind kind :
         {OptimizerKind::sgd, OptimizerKind::adam, OptimizerKind::adamw}) {
      for (const double rate : {1.0, 3.0, 100.0, 1e10, 1e30, 1e38}) {
        const TrainerConfig config = config_of({2, 8, 2}, loss, kind, rate);
        const auto [step, value] = first_bad_step(config, data);
        CAPTURE(std::string(detail::name_of(loss)));
        CAPTURE(std::string(detail::name_of(kind)));
        CAPTURE(rate);
        // Adam's steps are as long as the rate, whatever the gradient is.
        REQUIRE((step != 0 || rate < 1e20));
        if (step == 0) continue;
        later = later || step > 5;
        Trainer trainer(config, data);
        std::size_t seen = 0;
        const std::string found = divergence([&] {
          for (std::size_t epoch = 0; epoch < config.epochs; ++epoch) {
            trainer.run_epoch([&](const EpochProgress& now) {
              ++seen;
              CHECK(std::isfinite(now.loss));
            });
          }
        });
        CHECK(found == "training diverged in epoch " + std::to_string((step - 1) / 5 + 1) +
                           ", step " + std::to_string(step) + ": the loss is " +
                           (std::isnan(value) ? "nan" : "inf"));
        CHECK(seen == step - 1);
      }
    }
  }
  CHECK(later);  // in an epoch behind the first, too
}

TEST_CASE("divergence: steps and epochs are those of the whole run, also of a resumed one") {
  const io::Dataset data = moons(20);
  const TrainerConfig config = config_of({2, 8, 2}, Loss::identity_mse, OptimizerKind::sgd, 0.01);
  const std::string where = " epoch 248, step 1,236: ";
  Checkpoint run = new_run(config);
  detail::set_step_count(*run.optimizer, 1235);
  run.mlp.bias(2)[1] = std::nanf("");
  Trainer trainer(config, data, std::move(run));
  CHECK(divergence([&] { trainer.run_epoch(); }) ==
        "training diverged in" + where + "the loss is nan");
  CHECK(divergence([&] { (void)trainer.evaluate(data); }).find("training diverged by" + where) ==
        0);
}

TEST_CASE("divergence: one value of what a file holds is enough, and none of it is written") {
  const io::Dataset data = moons(20);
  const test::TemporaryDirectory dir;
  const std::string path = dir.write("run", "the last good file");
  for (const OptimizerKind kind : {OptimizerKind::sgd, OptimizerKind::adam}) {
    const TrainerConfig config = config_of({2, 3, 2}, Loss::softmax_ce, kind, 0.01);
    Checkpoint good = new_run(config);
    const std::size_t arrays = arrays_of(good).size();
    REQUIRE(arrays == (kind == OptimizerKind::sgd ? 8 : 12));
    for (std::size_t i = 0; i < arrays; ++i) {
      const std::string place = std::string(i < 4 ? "a " : "the optimiser's state of a ") +
                                (i % 2 == 0 ? "weight" : "bias") + " of layer " +
                                (i % 4 < 2 ? "1" : "2");
      for (std::size_t j = 0; j < arrays_of(good)[i].size(); ++j) {
        for (const auto& [bad, text] :
             {std::pair(std::nanf(""), "nan"), {inf, "inf"}, {-inf, "-inf"}}) {
          Checkpoint run{good.mlp.clone(), good.optimizer, {}};
          arrays_of(run)[i][j] = bad;
          Trainer trainer(config, data, std::move(run));
          const std::string want =
              "training diverged by epoch 1, step 0: " + place + " is " + std::string(text);
          CHECK(divergence([&] { trainer.save(path, {}); }) == want);
          CHECK(divergence([&] { (void)trainer.evaluate(data); }) == want);
        }
      }
    }
  }
  CHECK(test::read_file(path) == "the last good file");
  CHECK(dir.entries() == 1);
}

TEST_CASE("divergence: a dead unit whose bias is -inf, which changes no loss") {
  const io::Dataset data = moons(20);
  const TrainerConfig config = config_of({2, 3, 2}, Loss::softmax_ce, OptimizerKind::sgd, 0.01);
  Checkpoint run = new_run(config);
  run.mlp.bias(1)[2] = -inf;
  Trainer trainer(config, data, std::move(run));
  CHECK(divergence([&] { trainer.run_epoch(); }) == "none");
  CHECK(divergence([&] { (void)trainer.evaluate(data); }) ==
        "training diverged by epoch 1, step 5: a bias of layer 1 is -inf");
}

TEST_CASE("divergence: after an evaluation that was good") {
  // Each step multiplies the only layer by about the learning rate.
  const io::Dataset data = moons(4);
  Trainer trainer(config_of({2, 2}, Loss::identity_mse, OptimizerKind::sgd, 1e30), data);
  trainer.run_epoch();
  CHECK(divergence([&] { CHECK(std::isfinite(trainer.evaluate(data).loss)); }) == "none");
  CHECK(divergence([&] { trainer.run_epoch(); }) == "none");
  CHECK(divergence([&] {
          (void)trainer.evaluate(data);
        }).find("training diverged by epoch 2, step 2: a weight of layer 1 is ") == 0);
}

TEST_CASE("divergence: outputs that overflow, of weights that do not") {
  const test::TemporaryDirectory dir;
  const io::Dataset data = moons(40);
  for (const Loss loss : {Loss::softmax_ce, Loss::sigmoid_bce, Loss::identity_mse}) {
    TrainerConfig config = config_of({2, 8, 8, 2}, loss, OptimizerKind::sgd, 1e30);
    config.network.max_batch = 40;
    // After the only step, and so that no later loss shows it.
    Trainer trainer(config, data);
    CAPTURE(std::string(detail::name_of(loss)));
    CHECK(divergence([&] { trainer.run_epoch(); }) == "none");
    const std::string want = "training diverged by epoch 1, step 1: the loss of an evaluation is ";
    CHECK(divergence([&] { (void)trainer.evaluate(data); }).find(want) == 0);
    CHECK(divergence([&] { trainer.save(dir.name("run"), {}); }).find(want) == 0);
  }
  CHECK(dir.entries() == 0);
}

TEST_CASE("divergence: the loss of an evaluation is finite if all outputs are, and only then") {
  for (const Loss loss : {Loss::softmax_ce, Loss::sigmoid_bce, Loss::identity_mse}) {
    for (const float bad : {1.0F, std::nanf(""), inf, -inf}) {
      for (std::size_t output = 0; output < 2; ++output) {
        for (std::uint8_t label = 0; label < 2; ++label) {
          io::Dataset data{.x = {0.5F, 0.5F}, .labels = {label}, .features = 2, .classes = 2};
          const TrainerConfig config = config_of({2, 2}, loss, OptimizerKind::sgd, 0.01);
          Checkpoint run = new_run(config);
          run.mlp.bias(1)[output] = bad;
          std::vector<float> outputs(2);
          run.mlp.predict(data.inputs(), Matrix(outputs, 1, 2));
          std::vector<float> one_hot{label == 0 ? 1.0F : 0.0F, label == 1 ? 1.0F : 0.0F};
          const Targets targets = loss == Loss::softmax_ce
                                      ? Targets(data.labels)
                                      : Targets(ConstMatrix(one_hot.data(), 1, 2));
          CAPTURE(std::string(detail::name_of(loss)));
          CAPTURE(bad);
          CHECK(std::isfinite(run.mlp.loss_of(ConstMatrix(outputs.data(), 1, 2), targets)) ==
                all_finite(outputs));
        }
      }
    }
  }
}
