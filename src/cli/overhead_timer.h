// Times training steps with each kind of dropout beside one without, all in turn.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "io/dataset.h"

namespace simdrop::cli {

struct OverheadSetting {
  std::size_t width = 0;  // of both hidden layers
  std::size_t batch = 0;
  std::vector<std::string> units;  // element, neuron, lazy: neuron with lazy updates
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
  std::size_t pairs = 0;  // of one step without and one with dropout, of the same round
  Quartiles none_ms;      // a step without dropout: the same for all units
  Quartiles dropout_ms;   // a step with it
  Quartiles ratio;        // of the two steps of a pair
};

// Linear interpolation between the order statistics. values: not empty.
[[nodiscard]] Quartiles quartiles(std::vector<double> values);

class OverheadTimer {
 public:
  explicit OverheadTimer(const OverheadSetting& setting);
  ~OverheadTimer();
  OverheadTimer(const OverheadTimer&) = delete;
  OverheadTimer& operator=(const OverheadTimer&) = delete;

  // Rounds of one step of each kind for `seconds`; a row for each unit: element, neuron,
  // lazy, as far as they are asked for.
  std::vector<OverheadRow> measure(double keep_prob, double seconds);

 private:
  struct Step;
  class Network;

  void run_round(std::size_t round);

  OverheadSetting setting_;
  io::Dataset data_;
  std::vector<std::unique_ptr<Network>> networks_;
  std::size_t next_batch_ = 0;
};

}  // namespace simdrop::cli
