// What a result depends on beside its arguments: machine, instruction set, build.
#pragma once

#include <string>

#include "cli/json_file.h"

namespace simdrop::cli {

// Threads that a call with num_threads = `requested` (0 = all) may use.
[[nodiscard]] int effective_threads(int requested);

// One line: version, CPU, kernel table, threads.
[[nodiscard]] std::string environment_line(int threads);
[[nodiscard]] Json environment_json(int threads);

struct InfoConfig {
  std::string json_path;
  bool no_sync = false;
};

// simdrop info: CPU, kernel tables, build.
void run_info(const InfoConfig& config);

[[nodiscard]] const char* version();

}  // namespace simdrop::cli
