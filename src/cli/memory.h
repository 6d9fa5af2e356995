// The memory that a run takes, and the option that asks for it.
#pragma once

#include <string>

#include "cli/overhead.h"
#include "cli/train_arguments.h"

namespace simdrop::cli {

struct MemoryNeed {
  double bytes = 0.0;   // at least: a sum that can't overflow
  std::string options;  // that ask for most of it, with their values
};

[[nodiscard]] MemoryNeed memory_need(const TrainArguments& arguments);
[[nodiscard]] MemoryNeed memory_need(const OverheadConfig& config);

// Throws std::runtime_error for a run that takes more than the machine has, before it begins: where
// the system grants whatever is asked for, it would end the program later without a word.
void check_memory(const MemoryNeed& need);

// For a run that was granted less than it needs.
[[nodiscard]] std::string out_of_memory_text(const MemoryNeed& need);

}  // namespace simdrop::cli
