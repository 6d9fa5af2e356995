// simdrop train: trains a network and reports on every epoch.
#pragma once

#include "cli/train_arguments.h"

namespace simdrop::cli {

// Throws std::invalid_argument for arguments that make no sense, std::runtime_error for files and
// for training that diverges.
void run_train(const TrainArguments& arguments);

}  // namespace simdrop::cli
