// The file of a run: simdrop train --save and --resume.
#pragma once

#include <cstddef>
#include <string>

#include "cli/train_arguments.h"
#include "cli/trainer.h"
#include "simdrop/checkpoint.hpp"

namespace simdrop::cli {

// What else a run is a function of, for the file's metadata.
[[nodiscard]] Metadata run_metadata(const TrainArguments& arguments, const TrainerConfig& config,
                                    std::size_t examples);

// The arguments that the run in `path` was given, the defaults filled in. Throws FileError.
[[nodiscard]] TrainArguments saved_arguments(const std::string& path);

// Throws std::invalid_argument if the command line, read over `saved`, asks for another run.
void check_same_run(const TrainArguments& saved, const TrainArguments& arguments);

// The run where it stopped. Throws FileError if the file is not of this run and these examples.
[[nodiscard]] Checkpoint load_run(const std::string& path, const TrainerConfig& config,
                                  std::size_t examples);

}  // namespace simdrop::cli
