#include "cli/demo.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "cli/divergence.h"
#include "cli/environment.h"
#include "cli/overhead.h"
#include "cli/terminal.h"
#include "cli/trainer.h"

namespace simdrop::cli {
namespace {

constexpr std::uint64_t kSeed = 1;

struct Variant {
  std::string name;
  double input_keep_prob = 1.0;
  double hidden_keep_prob = 1.0;
  DropoutUnit unit = DropoutUnit::element;
  double learning_rate = 0.05;
};

struct Experiment {
  std::size_t train_rows = 0;
  std::size_t epochs = 0;
  std::size_t report_every = 0;   // epochs; each variant is evaluated then
  std::vector<Variant> variants;  // without dropout; elements dropped; others
};

struct Point {
  double seconds = 0.0;  // of training
  double accuracy = 0.0;
};

struct Outcome {
  Variant variant;
  Evaluation train;
  std::vector<Point> test;  // as it was trained; never empty in the end
  double seconds = 0.0;
  std::size_t steps = 0;

  [[nodiscard]] double ms_per_step() const { return 1e3 * seconds / static_cast<double>(steps); }
  [[nodiscard]] double accuracy() const { return test.back().accuracy; }
  [[nodiscard]] double best_accuracy() const {
    return std::ranges::max(test, {}, &Point::accuracy).accuracy;
  }
};

// Named by what is dropped and by the keep_prob of the hidden layers, or of the input.
const Variant kNone{"none", 1.0, 1.0};
const Variant kElement{"element .5", 1.0, 0.5};
// One mask for a whole batch is more noise to a step: with a learning rate of 0.05 it diverges.
const Variant kNeuron{"neuron .5", 1.0, 0.5, DropoutUnit::neuron, 0.01};
const Variant kInputAndElement{"element .5, input .8", 0.8, 0.5};

TrainerConfig trainer_config(const Variant& variant, std::size_t epochs) {
  TrainerConfig config;
  config.network.widths = {784, 1024, 1024, 10};
  config.network.keep_prob = {variant.hidden_keep_prob, variant.hidden_keep_prob};
  config.network.input_keep_prob = variant.input_keep_prob;
  config.network.dropout_unit = variant.unit;
  // With dropout on the input too, He's larger weights end a quarter of a point lower here.
  config.network.init = Init::xavier;
  config.network.seed = kSeed;
  config.network.max_batch = 128;
  config.network.num_threads = 0;
  config.optimizer.learning_rate = variant.learning_rate;
  config.optimizer.momentum = 0.9;
  config.epochs = epochs;
  return config;
}

// All networks of an experiment, trained in turn epoch by epoch.
class SideBySide {
 public:
  SideBySide(const Experiment& experiment, const io::Dataset& train, const io::Dataset& test)
      : experiment_(experiment), train_(train), test_(test), table_(columns(experiment)) {
    for (const Variant& variant : experiment.variants) {
      trainers_.push_back(
          std::make_unique<Trainer>(trainer_config(variant, experiment.epochs), train));
      outcomes_.push_back({.variant = variant, .train = {}, .test = {}});
    }
  }

  std::vector<Outcome> run() {
    print("\nFashion-MNIST, " + grouped(train_.rows()) + " training images, " +
          std::to_string(experiment_.epochs) +
          " epochs: test accuracy, and the seconds of training until then.\n"
          "Columns: what is dropped, and keep_prob of the hidden layers (input: of the input)\n\n" +
          table_.header());
    for (std::size_t epoch = 1; epoch <= experiment_.epochs; ++epoch) {
      for (std::size_t i = 0; i < trainers_.size(); ++i) {
        naming(i, [&] { run_epoch(i); });
      }
      if (epoch % experiment_.report_every == 0 || epoch == experiment_.epochs) report(epoch);
    }
    for (std::size_t i = 0; i < trainers_.size(); ++i) {
      outcomes_[i].train = naming(i, [&] { return trainers_[i]->evaluate(train_); });
    }
    return outcomes_;
  }

 private:
  static std::vector<Table::Column> columns(const Experiment& experiment) {
    std::vector<Table::Column> result{{"epoch"}};
    for (const Variant& variant : experiment.variants) result.push_back({variant.name, 20});
    return result;
  }

  // What work() gives, or a divergence that says whose.
  template <class Work>
  std::invoke_result_t<Work> naming(std::size_t i, Work work) {
    try {
      return work();
    } catch (const Divergence& found) {
      throw std::runtime_error(outcomes_[i].variant.name + ": " + found.what());
    }
  }

  void run_epoch(std::size_t i) {
    const EpochProgress done = trainers_[i]->run_epoch([&](const EpochProgress& now) {
      if (!line_.due()) return;
      line_.show("epoch " + std::to_string(now.epoch + 1) + "/" +
                 std::to_string(experiment_.epochs) + "  " + outcomes_[i].variant.name + "  step " +
                 std::to_string(now.step) + "/" + std::to_string(now.steps) + "  loss " +
                 fixed(now.loss, 4) + "  " +
                 grouped(static_cast<std::size_t>(now.examples_per_second)) + " examples/s");
    });
    outcomes_[i].seconds = done.train_seconds;
    outcomes_[i].steps += done.step;
  }

  void report(std::size_t epoch) {
    std::vector<std::string> cells{std::to_string(epoch)};
    for (std::size_t i = 0; i < trainers_.size(); ++i) {
      Outcome& outcome = outcomes_[i];
      const Evaluation test = naming(i, [&] { return trainers_[i]->evaluate(test_); });
      outcome.test.push_back({outcome.seconds, test.accuracy});
      const std::string seconds = fixed(outcome.seconds, 2) + " s";
      cells.push_back(percent(outcome.accuracy()) +
                      std::string(10 - std::min<std::size_t>(10, seconds.size()), ' ') + seconds);
    }
    line_.clear();
    print(table_.row(cells));
  }

  const Experiment& experiment_;
  const io::Dataset& train_;
  const io::Dataset& test_;
  Table table_;
  ProgressLine line_;
  std::vector<std::unique_ptr<Trainer>> trainers_;
  std::vector<Outcome> outcomes_;
};

// What dropping elements did against no dropout: two variants that were chosen before anything was
// measured, for the best of several would look better than it is.
std::string comparison(const Experiment& experiment, const std::vector<Outcome>& outcomes,
                       std::size_t test_rows) {
  const double none = outcomes[0].accuracy();
  const double element = outcomes[1].accuracy();
  const double difference = 100.0 * (element - none);
  const double error = 100.0 * std::sqrt((none * (1.0 - none) + element * (1.0 - element)) /
                                         static_cast<double>(test_rows));
  return "  " + grouped(experiment.train_rows) + " training images, " +
         std::to_string(experiment.epochs) + " epochs: " + percent(none) + " without, " +
         percent(element) + " with: " + (difference < 0.0 ? "-" : "+") +
         fixed(std::abs(difference), 2) + " points (standard error " + fixed(error, 2) + ")\n";
}

// When a run first was as good as `accuracy`.
std::string seconds_to(double accuracy, const Outcome& outcome) {
  const auto reached = std::ranges::find_if(
      outcome.test, [=](const Point& point) { return point.accuracy >= accuracy; });
  return reached == outcome.test.end() ? "never" : fixed(reached->seconds, 2);
}

void print_findings(const std::vector<Experiment>& experiments,
                    const std::vector<std::vector<Outcome>>& outcomes,
                    const std::vector<OverheadRow>& overhead, std::size_t test_rows,
                    const Disturbance& training) {
  const Table table({{"training images", 15},
                     {"epochs"},
                     {"dropped, keep_prob", 20, true},
                     {"lr"},
                     {"train acc", 9},
                     {"test acc", 9},
                     {"seconds", 8},
                     {"to none's best", 8},
                     {"ms/step", 8}});
  std::string text = "\nWhat was found (784-1024-1024-10, one run each, seed " +
                     std::to_string(kSeed) + ")\n\n" + table.header();
  std::string comparisons;
  for (std::size_t e = 0; e < experiments.size(); ++e) {
    const double best = outcomes[e].front().best_accuracy();
    for (const Outcome& outcome : outcomes[e]) {
      text += table.row({grouped(experiments[e].train_rows), std::to_string(experiments[e].epochs),
                         outcome.variant.name, shortest(outcome.variant.learning_rate),
                         percent(outcome.train.accuracy), percent(outcome.accuracy()),
                         fixed(outcome.seconds, 2), seconds_to(best, outcome),
                         fixed(outcome.ms_per_step(), 2)});
    }
    comparisons += comparison(experiments[e], outcomes[e], test_rows);
  }
  print(
      text +
      "\nlr: learning rate. to none's best: seconds of training until the test accuracy first was "
      "at least the\nbest that was seen without dropout.\n\n"
      "Test accuracy with elements dropped (element .5) and without dropout, one run each:\n" +
      comparisons +
      "One run each is an example and no evidence; bench/experiments/study/RESULTS.md has three "
      "seeds.\n\n" +
      (training.disturbed()
           ? busy_machine(training) + "Do not rely on seconds, to none's best and ms/step.\n\n"
           : "") +
      step_ratios(overhead));
}

}  // namespace

std::string step_ratios(const std::vector<OverheadRow>& overhead) {
  const auto find = [&](const char* unit) {
    return *std::ranges::find_if(overhead, [=](const OverheadRow& r) {
      return r.width == 1024 && r.keep_prob == 0.5 && r.unit == unit;
    });
  };
  const OverheadRow neuron = find("neuron");
  const OverheadRow lazy = find("lazy");
  const Disturbance found = worst(neuron.disturbance, lazy.disturbance);
  if (found.disturbed()) {
    return busy_machine(found) +
           "This run cannot tell what a step that drops half of the neurons costs.\n";
  }
  return "A step that drops half of the neurons took " + fixed(neuron.ratio.median, 2) +
         " of the time of one without dropout, " + fixed(lazy.ratio.median, 2) +
         "\nwith lazy updates (784-1024-1024-10, batch 128).\n";
}

void run_demo(bool quick) {
  // Loaded first: if it is missing, say so before a minute of measuring.
  const io::TrainTest data = io::load_idx(io::find_idx_files(io::kFashionMnistDir), 10);
  print(environment_line(0));
  OverheadConfig overhead;
  overhead.widths = {256, 1024};
  overhead.seconds = quick ? 0.1 : 1.0;
  overhead.batches = {128};
  overhead.keep_probs = {0.5, 0.8};
  const std::vector<OverheadRow> rows = measure_overhead(overhead);

  const std::vector<Experiment> experiments{
      {1000, quick ? 10U : 100U, 10, {kNone, kElement, kNeuron, kInputAndElement}},
      {data.train.rows(), quick ? 1U : 5U, 1, {kNone, kElement, kNeuron}}};
  std::vector<std::vector<Outcome>> outcomes;
  const CoreClock cores;
  for (const Experiment& experiment : experiments) {
    const io::Dataset train = io::random_subset(data.train, experiment.train_rows, kSeed);
    outcomes.push_back(SideBySide(experiment, train, data.test).run());
  }
  print_findings(experiments, outcomes, rows, data.test.rows(),
                 {.core_share = core_share(cores.elapsed())});
}

}  // namespace simdrop::cli
