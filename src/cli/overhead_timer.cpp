#include "cli/overhead_timer.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

namespace simdrop::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kFeatures = 784;
constexpr std::size_t kClasses = 10;
constexpr std::size_t kPool = 7;  // batches in turn, so that an input is not found in cache
constexpr std::size_t kWarmUpPairs = 3;
constexpr std::size_t kMinPairs = 5;

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

MlpConfig network_config(const OverheadSetting& setting) {
  MlpConfig config;
  config.widths = {kFeatures, setting.width, setting.width, kClasses};
  config.dropout_unit = setting.unit == "element" ? DropoutUnit::element : DropoutUnit::neuron;
  config.lazy_updates = setting.unit == "lazy";
  config.max_batch = setting.batch;
  config.num_threads = setting.threads;
  return config;
}

}  // namespace

OverheadTimer::OverheadTimer(const OverheadSetting& setting)
    : setting_(setting),
      data_(random_examples(kPool * setting.batch)),
      network_(network_config(setting)),
      optimizer_({.learning_rate = 1e-3, .momentum = 0.9}, network_.parameter_sizes()) {}

OverheadRow OverheadTimer::measure(double keep_prob, double seconds) {
  std::vector<double> none;
  std::vector<double> dropout;
  std::vector<double> ratio;
  for (std::size_t i = 0; i < kWarmUpPairs; ++i) time_pair(keep_prob, i % 2 == 0);
  const CoreClock cores;
  const Clock::time_point start = Clock::now();
  const std::chrono::duration<double> budget(seconds);
  while (ratio.size() < kMinPairs || Clock::now() - start < budget) {
    // Which step of a pair comes first alternates, so that neither profits from its place.
    const Pair pair = time_pair(keep_prob, ratio.size() % 2 == 0);
    none.push_back(pair.none_ms);
    dropout.push_back(pair.dropout_ms);
    ratio.push_back(pair.dropout_ms / pair.none_ms);
  }
  OverheadRow row{.width = setting_.width,
                  .batch = setting_.batch,
                  .keep_prob = keep_prob,
                  .unit = setting_.unit,
                  .pairs = ratio.size(),
                  .none_ms = quartiles(std::move(none)),
                  .dropout_ms = quartiles(std::move(dropout)),
                  .ratio = quartiles(std::move(ratio)),
                  .disturbance = {}};
  // Steps without dropout all do the same; with neurons dropped, the work depends on how many.
  row.disturbance = {core_share(cores.elapsed()), spread(row.none_ms)};
  return row;
}

OverheadTimer::Pair OverheadTimer::time_pair(double keep_prob, bool none_first) {
  Pair pair;
  if (none_first) pair.none_ms = time_step(1.0, 1.0);
  pair.dropout_ms = time_step(keep_prob, setting_.input_keep_prob);
  if (!none_first) pair.none_ms = time_step(1.0, 1.0);
  return pair;
}

double OverheadTimer::time_step(double keep_prob, double input_keep_prob) {
  network_.set_keep_prob(0, input_keep_prob);
  for (std::size_t layer = 1; layer < network_.num_layers(); ++layer) {
    network_.set_keep_prob(layer, keep_prob);
  }
  const std::size_t first = next_batch_++ % kPool * setting_.batch;
  const ConstMatrix x(data_.inputs().row(first), setting_.batch, kFeatures);
  const Targets targets(std::span<const std::uint8_t>(data_.labels).subspan(first, setting_.batch));
  const Clock::time_point start = Clock::now();
  network_.train_step(x, targets, optimizer_);
  // Never 0, however coarse the clock is: times are divided by one another.
  return std::max(std::chrono::duration<double, std::milli>(Clock::now() - start).count(), 1e-6);
}

double spread(const Quartiles& values) {
  return (values.high - values.low) / values.median;
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
