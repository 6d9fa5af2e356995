#include "cli/overhead.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "cli/environment.h"
#include "cli/terminal.h"
#include "io/dataset.h"
#include "simdrop/mlp.hpp"

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

// One network, whose dropout is turned on and off: both kinds of step run on the same memory.
class StepTimer {
 public:
  StepTimer(std::size_t width, std::size_t batch, const OverheadConfig& config)
      : batch_(batch),
        input_keep_prob_(config.input_keep_prob),
        data_(random_examples(kPool * batch)),
        network_(network_config(width, batch, config.threads)),
        optimizer_({.learning_rate = 1e-3, .momentum = 0.9}, network_.parameter_sizes()) {}

  OverheadRow measure(double keep_prob, double seconds) {
    std::vector<double> none;
    std::vector<double> dropout;
    std::vector<double> ratio;
    for (std::size_t i = 0; i < kWarmUpPairs; ++i) time_pair(keep_prob, i % 2 == 0);
    const Clock::time_point start = Clock::now();
    const std::chrono::duration<double> budget(seconds);
    while (ratio.size() < kMinPairs || Clock::now() - start < budget) {
      // Which step of a pair comes first alternates, so that neither profits from its place.
      const Pair pair = time_pair(keep_prob, ratio.size() % 2 == 0);
      none.push_back(pair.none_ms);
      dropout.push_back(pair.dropout_ms);
      ratio.push_back(pair.dropout_ms / pair.none_ms);
    }
    OverheadRow row;
    row.batch = batch_;
    row.keep_prob = keep_prob;
    row.pairs = ratio.size();
    row.none_ms = quartiles(std::move(none));
    row.dropout_ms = quartiles(std::move(dropout));
    row.ratio = quartiles(std::move(ratio));
    return row;
  }

 private:
  struct Pair {
    double none_ms = 0.0;
    double dropout_ms = 0.0;
  };

  static MlpConfig network_config(std::size_t width, std::size_t batch, int threads) {
    MlpConfig config;
    config.widths = {kFeatures, width, width, kClasses};
    config.max_batch = batch;
    config.num_threads = threads;
    return config;
  }

  Pair time_pair(double keep_prob, bool none_first) {
    Pair pair;
    if (none_first) pair.none_ms = time_step(1.0, 1.0);
    pair.dropout_ms = time_step(keep_prob, input_keep_prob_);
    if (!none_first) pair.none_ms = time_step(1.0, 1.0);
    return pair;
  }

  double time_step(double keep_prob, double input_keep_prob) {
    network_.set_keep_prob(0, input_keep_prob);
    for (std::size_t layer = 1; layer < network_.num_layers(); ++layer) {
      network_.set_keep_prob(layer, keep_prob);
    }
    const std::size_t first = next_batch_++ % kPool * batch_;
    const ConstMatrix x(data_.inputs().row(first), batch_, kFeatures);
    const Targets targets(std::span<const std::uint8_t>(data_.labels).subspan(first, batch_));
    const Clock::time_point start = Clock::now();
    network_.train_step(x, targets, optimizer_);
    return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
  }

  std::size_t batch_;
  double input_keep_prob_;
  io::Dataset data_;
  Mlp network_;
  Optimizer optimizer_;
  std::size_t next_batch_ = 0;
};

std::string with_spread(const Quartiles& values, int decimals) {
  return fixed(values.median, decimals) + " [" + fixed(values.low, decimals) + ", " +
         fixed(values.high, decimals) + "]";
}

Json quartiles_json(const Quartiles& values) {
  return {
      {"lower_quartile", values.low}, {"median", values.median}, {"upper_quartile", values.high}};
}

Json row_json(const OverheadRow& row) {
  return {{"width", row.width},
          {"batch", row.batch},
          {"keep_prob", row.keep_prob},
          {"pairs", row.pairs},
          {"none_ms", quartiles_json(row.none_ms)},
          {"dropout_ms", quartiles_json(row.dropout_ms)},
          {"ratio", quartiles_json(row.ratio)}};
}

}  // namespace

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

std::vector<OverheadRow> measure_overhead(const OverheadConfig& config) {
  const Table table({{"width"},
                     {"batch"},
                     {"keep_prob"},
                     {"none ms [quartiles]", 22},
                     {"dropout ms [quartiles]", 22},
                     {"ratio [quartiles]", 22},
                     {"pairs", 6}});
  print(
      "Training step of 784-width-width-10 (SGD with momentum), without and with dropout on the "
      "hidden\nlayers" +
      std::string(config.input_keep_prob < 1.0
                      ? " and on the input (keep_prob " + shortest(config.input_keep_prob) + ")"
                      : "") +
      "; medians of steps taken in turn\n\n" + table.header());
  ProgressLine line;
  std::vector<OverheadRow> rows;
  for (const std::size_t width : config.widths) {
    for (const std::size_t batch : config.batches) {
      StepTimer timer(width, batch, config);
      for (const double keep_prob : config.keep_probs) {
        line.show("measuring width " + std::to_string(width) + ", batch " + std::to_string(batch) +
                  ", keep_prob " + shortest(keep_prob));
        OverheadRow row = timer.measure(keep_prob, config.seconds);
        row.width = width;
        line.clear();
        print(table.row({std::to_string(width), std::to_string(batch), shortest(keep_prob),
                         with_spread(row.none_ms, 3), with_spread(row.dropout_ms, 3),
                         with_spread(row.ratio, 3), std::to_string(row.pairs)}));
        rows.push_back(row);
      }
    }
  }
  return rows;
}

void run_overhead(const OverheadConfig& config) {
  JsonFile file(config.json_path);
  print(environment_line(config.threads));
  Json json{{"environment", environment_json(config.threads)},
            {"input_keep_prob", config.input_keep_prob},
            {"seconds_per_row", config.seconds},
            {"rows", Json::array()}};
  for (const OverheadRow& row : measure_overhead(config)) json["rows"].push_back(row_json(row));
  file.commit(json);
}

}  // namespace simdrop::cli
