// What the command line asks for.
#pragma once

#include <string>
#include <vector>

#include "cli/environment.h"
#include "cli/memory.h"
#include "cli/overhead.h"
#include "cli/train_arguments.h"

namespace simdrop::cli {

enum class Command { text, train, overhead, info, demo };

struct CommandLine {
  Command command = Command::text;
  std::string text;  // to print: what --help or --version asks for
  TrainArguments train;
  OverheadConfig overhead;
  InfoConfig info;
  bool quick_demo = false;
};

// words: without the program's name. Options that --resume leaves out are those of the file's run.
// Throws std::invalid_argument for what can't be done, before anything is written; FileError if the
// file to resume can't be read; std::runtime_error for what takes more memory than there is.
[[nodiscard]] CommandLine read_command_line(const std::vector<std::string>& words);

// Of train and overhead; the others' is nothing to speak of.
[[nodiscard]] MemoryNeed memory_need(const CommandLine& line);

}  // namespace simdrop::cli
