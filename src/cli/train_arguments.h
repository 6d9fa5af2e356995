// What simdrop train was asked for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/data/dataset.h"

namespace simdrop::cli {

// The command line as given; what is not given depends on the rest.
struct TrainArguments {
  std::optional<std::string> data;  // a directory, fashion-mnist or moons
  io::IdxPaths files;               // instead of data: all four or none
  std::vector<std::size_t> layers;
  std::vector<double> keep_prob{1.0};
  double input_keep_prob = 1.0;
  std::string dropout_unit = "element";
  std::size_t dropout_group = 0;  // examples that share a mask; 0 = the batch
  bool lazy_updates = false;
  std::optional<std::string> loss;
  std::string init = "xavier";
  std::string optimizer = "sgd";
  std::optional<double> momentum;
  bool nesterov = false;
  double weight_decay = 0.0;
  double max_norm = 0.0;  // 0 = no constraint
  std::optional<double> learning_rate;
  std::string schedule = "linear";
  std::optional<std::size_t> epochs;
  std::optional<std::size_t> batch;
  std::size_t eval_every = 1;  // epochs; the last one is always evaluated
  std::string eval_train = "every";
  std::size_t train_limit = 0;  // 0 = all
  std::uint64_t seed = 0;
  int threads = 0;
  std::string json_path;
  std::string save;            // a file for the run so far, after each epoch
  std::string resume;          // such a file
  std::size_t stop_after = 0;  // epochs, as if interrupted; 0 = all
};

}  // namespace simdrop::cli
