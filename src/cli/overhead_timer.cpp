#include "cli/overhead_timer.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>
#include <utility>

#include "simdrop/mlp.hpp"

namespace simdrop::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kFeatures = 784;
constexpr std::size_t kClasses = 10;
constexpr std::size_t kPool = 7;  // batches in turn, so that an input is not found in cache
constexpr std::size_t kWarmUpRounds = 3;
constexpr std::size_t kMinRounds = 5;

// Uniform inputs in [0, 1) and uniform labels: the time of a step does not depend on what is
// learned.
io::Dataset random_examples(std::size_t rows) {
  io::Dataset data;
  data.features = kFeatures;
  data.classes = kClasses;
  data.x.resize(rows * kFeatures);
  data.labels.resize(rows);
  std::vector<std::uint32_t> words(data.x.size() + rows);
  philox_fill(io::stream_for(io::Purpose::benchmark, 0), 0, words);
  for (std::size_t i = 0; i < data.x.size(); ++i) {
    data.x[i] = static_cast<float>(words[i] >> 8) * 0x1p-24F;
  }
  for (std::size_t i = 0; i < rows; ++i) {
    data.labels[i] = static_cast<std::uint8_t>(words[data.x.size() + i] % kClasses);
  }
  return data;
}

MlpConfig network_config(const OverheadSetting& setting, DropoutUnit unit, bool lazy_updates) {
  MlpConfig config;
  config.widths = {kFeatures, setting.width, setting.width, kClasses};
  config.dropout_unit = unit;
  config.lazy_updates = lazy_updates;
  config.max_batch = setting.batch;
  config.num_threads = setting.threads;
  return config;
}

}  // namespace

// One kind of step, and the times of its steps so far.
struct OverheadTimer::Step {
  std::string unit;  // or "none"
  std::vector<double> ms{};
};

// A network and the kinds of step that run on it.
class OverheadTimer::Network {
 public:
  Network(const MlpConfig& config, std::vector<Step> kinds)
      : steps(std::move(kinds)),
        network_(config),
        optimizer_({.learning_rate = 1e-3, .momentum = 0.9}, network_.parameter_sizes()) {}

  void set_keep_prob(double hidden, double input) {
    hidden_keep_prob_ = hidden;
    input_keep_prob_ = input;
  }

  double time(const Step& step, ConstMatrix x, const Targets& targets) {
    const bool none = step.unit == "none";
    network_.set_keep_prob(0, none ? 1.0 : input_keep_prob_);
    for (std::size_t layer = 1; layer < network_.num_layers(); ++layer) {
      network_.set_keep_prob(layer, none ? 1.0 : hidden_keep_prob_);
    }
    const Clock::time_point start = Clock::now();
    network_.train_step(x, targets, optimizer_);
    return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
  }

  std::vector<Step> steps;

 private:
  Mlp network_;
  Optimizer optimizer_;
  double hidden_keep_prob_ = 1.0;
  double input_keep_prob_ = 1.0;
};

// Elements are dropped in the network that has steps without dropout too: both kinds of step run
// on the same memory. What drops neurons is said when a network is made.
OverheadTimer::OverheadTimer(const OverheadSetting& setting)
    : setting_(setting), data_(random_examples(kPool * setting.batch)) {
  std::vector<Step> shared{{"none"}};
  if (std::ranges::count(setting.units, "element") != 0) shared.push_back({"element"});
  const auto add = [&](DropoutUnit unit, bool lazy_updates, std::vector<Step> steps) {
    networks_.push_back(
        std::make_unique<Network>(network_config(setting, unit, lazy_updates), std::move(steps)));
  };
  add(DropoutUnit::element, false, std::move(shared));
  for (const bool lazy : {false, true}) {
    const char* unit = lazy ? "lazy" : "neuron";
    if (std::ranges::count(setting.units, unit) != 0) add(DropoutUnit::neuron, lazy, {{unit}});
  }
}

OverheadTimer::~OverheadTimer() = default;

// One step of each kind. Which network is the first rotates, and which of its steps is. The first
// step on a network is not timed: the others left the caches to themselves, and in training the
// step before is one of the same network.
void OverheadTimer::run_round(std::size_t round) {
  for (std::size_t i = 0; i < networks_.size(); ++i) {
    Network& network = *networks_[(round + i) % networks_.size()];
    std::vector<Step>& steps = network.steps;
    const auto time = [&](std::size_t kind) {
      const std::size_t first = next_batch_++ % kPool * setting_.batch;
      const ConstMatrix x(data_.inputs().row(first), setting_.batch, kFeatures);
      const std::span<const std::uint8_t> labels(data_.labels);
      return network.time(steps[kind], x, labels.subspan(first, setting_.batch));
    };
    const std::size_t turn = round / networks_.size();
    time((turn + steps.size() - 1) % steps.size());
    for (std::size_t k = 0; k < steps.size(); ++k) {
      const std::size_t kind = (turn + k) % steps.size();
      steps[kind].ms.push_back(time(kind));
    }
  }
}

std::vector<OverheadRow> OverheadTimer::measure(double keep_prob, double seconds) {
  for (auto& network : networks_) network->set_keep_prob(keep_prob, setting_.input_keep_prob);
  for (std::size_t i = 0; i < kWarmUpRounds; ++i) run_round(i);
  for (auto& network : networks_) {
    for (Step& step : network->steps) step.ms.clear();
  }
  const Clock::time_point start = Clock::now();
  const std::chrono::duration<double> budget(seconds);
  std::size_t rounds = 0;
  while (rounds < kMinRounds || Clock::now() - start < budget) run_round(rounds++);

  const std::vector<double>& none_ms = networks_.front()->steps.front().ms;
  std::vector<OverheadRow> rows;
  for (const auto& network : networks_) {
    for (const Step& step : network->steps) {
      if (step.unit == "none") continue;
      std::vector<double> ratio(rounds);
      std::ranges::transform(step.ms, none_ms, ratio.begin(), std::divides<>());
      rows.push_back({setting_.width, setting_.batch, keep_prob, step.unit, rounds,
                      quartiles(none_ms), quartiles(step.ms), quartiles(std::move(ratio))});
    }
  }
  return rows;
}

Quartiles quartiles(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const auto at = [&](double q) {
    const double place = q * static_cast<double>(values.size() - 1);
    const auto below = static_cast<std::size_t>(place);
    const std::size_t above = std::min(below + 1, values.size() - 1);
    return std::lerp(values[below], values[above], place - std::floor(place));
  };
  return {at(0.25), at(0.5), at(0.75)};
}

}  // namespace simdrop::cli
