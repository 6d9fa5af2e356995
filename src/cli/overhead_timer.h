// Times training steps with a kind of dropout beside steps without, in turn.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "cli/data/dataset.h"
#include "cli/disturbance.h"
#include "simdrop/mlp.hpp"

namespace simdrop::cli {

struct OverheadSetting {
  std::size_t width = 0;  // of both hidden layers
  std::size_t batch = 0;
  std::string unit;  // element, neuron, or lazy: neuron with lazy updates
  double input_keep_prob = 1.0;
  int threads = 0;
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
  std::string unit;
  std::size_t pairs = 0;  // of one step without and one with dropout, side by side in time
  Quartiles none_ms;      // a step without dropout
  Quartiles dropout_ms;   // a step with it
  Quartiles ratio;        // of the two steps of a pair
  Disturbance disturbance;
};

// What is between the quartiles, as a fraction of the median.
[[nodiscard]] double spread(const Quartiles& values);

// Linear interpolation between the order statistics. values: not empty.
[[nodiscard]] Quartiles quartiles(std::vector<double> values);

// One network, whose dropout is turned on and off: both kinds of step run on the same memory, and
// as in training, no other network takes the caches from it.
class OverheadTimer {
 public:
  explicit OverheadTimer(const OverheadSetting& setting);

  // Pairs of steps for `seconds`.
  OverheadRow measure(double keep_prob, double seconds);

 private:
  struct Pair {
    double none_ms = 0.0;
    double dropout_ms = 0.0;
  };
  Pair time_pair(double keep_prob, bool none_first);
  double time_step(double keep_prob, double input_keep_prob);

  OverheadSetting setting_;
  io::Dataset data_;
  Mlp network_;
  Optimizer optimizer_;
  std::size_t next_batch_ = 0;
};

}  // namespace simdrop::cli
