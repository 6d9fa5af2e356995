// What the command line of simdrop train asks for: network, training and data.
#pragma once

#include <string>

#include "cli/data/dataset.h"
#include "cli/train_arguments.h"
#include "cli/trainer.h"

namespace simdrop::cli {

// Whether any of them is named.
[[nodiscard]] bool any_file(const io::IdxPaths& files);

// Throws std::invalid_argument naming the option that makes no sense, or that can have no effect.
[[nodiscard]] TrainerConfig make_config(const TrainArguments& arguments);

// The files of the data; empty paths if it needs none. Throws std::invalid_argument for options
// that don't go together, std::runtime_error for a directory without the files.
[[nodiscard]] io::IdxPaths data_files(const TrainArguments& arguments);

struct NamedData {
  std::string name;
  io::TrainTest data;
};

// Training examples are drawn if arguments.train_limit says so. outputs: of the last layer. Throws
// std::runtime_error for files.
[[nodiscard]] NamedData load_data(const TrainArguments& arguments, std::size_t outputs);

}  // namespace simdrop::cli
