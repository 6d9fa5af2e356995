// simdrop overhead: what dropout costs in the time of a training step.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "cli/json_file.h"
#include "cli/overhead_timer.h"

namespace simdrop::cli {

struct OverheadConfig {
  std::vector<std::size_t> widths{256, 1024};  // of both hidden layers
  std::vector<std::size_t> batches{32, 128, 256};
  std::vector<double> keep_probs{0.5, 0.8};
  std::vector<std::string> units{"element", "neuron", "lazy"};
  double input_keep_prob = 1.0;
  double seconds = 2.0;  // for each row of the report
  int threads = 0;
  std::string json_path;
  bool no_sync = false;
};

// What to say below rows of which some were disturbed: "" if none was.
[[nodiscard]] std::string disturbance_note(const std::vector<OverheadRow>& rows);

// Measures the grid row by row and prints it as it goes.
std::vector<OverheadRow> measure_overhead(const OverheadConfig& config);

void run_overhead(const OverheadConfig& config);

}  // namespace simdrop::cli
