// simdrop overhead: what dropout costs in the time of a training step.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "cli/json_file.h"

namespace simdrop::cli {

struct OverheadConfig {
  std::vector<std::size_t> widths{256, 1024};  // of both hidden layers
  std::vector<std::size_t> batches{32, 128, 256};
  std::vector<double> keep_probs{0.5, 0.8};
  double input_keep_prob = 1.0;
  double seconds = 3.0;  // for each row of the report
  int threads = 0;
  std::string json_path;
};

struct Quartiles {
  double low = 0.0;
  double median = 0.0;
  double high = 0.0;
};

struct OverheadRow {
  std::size_t width = 0;
  std::size_t batch = 0;
  double keep_prob = 1.0;
  std::size_t pairs = 0;  // of one step without and one with dropout, side by side in time
  Quartiles none_ms;      // a step without dropout
  Quartiles dropout_ms;   // a step with it
  Quartiles ratio;        // of the two steps of a pair
};

// Linear interpolation between the order statistics. values: not empty.
[[nodiscard]] Quartiles quartiles(std::vector<double> values);

// Measures the grid row by row and prints it as it goes.
std::vector<OverheadRow> measure_overhead(const OverheadConfig& config);

void run_overhead(const OverheadConfig& config);

}  // namespace simdrop::cli
