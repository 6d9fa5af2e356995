// Options that name files.
#pragma once

#include <string>
#include <vector>

#include "cli/train_arguments.h"

namespace simdrop::cli {

struct FileOption {
  std::string option;  // "--json"
  std::string path;    // empty: not given
};

// Throws std::invalid_argument, naming both, if what is written to is the same file as one of the
// others, by whatever names and links.
void check_apart(const FileOption& output, const std::vector<FileOption>& others);

// The files of simdrop train: each output is a file of its own, but that a run may be saved where
// it was resumed from. Throws std::invalid_argument, or std::runtime_error for data that is not
// there.
void check_files(const TrainArguments& arguments);

}  // namespace simdrop::cli
