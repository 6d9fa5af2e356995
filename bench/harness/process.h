// Processes that a benchmark starts: libraries that cannot share one, settings that are read at
// start, programs that keep the machine busy.
#pragma once

#include <sys/types.h>

#include <cstdio>
#include <functional>
#include <string>

namespace simdrop::bench {

// A forked child, killed with what it started when this object goes, or this process. Start it
// before this process has threads.
class Process {
 public:
  // The child runs body() and ends; it may replace itself by another program. What it reads from
  // stdin was asked here, and what it prints is the answer. Throws std::runtime_error if there can
  // be no child.
  explicit Process(const std::function<void()>& body);
  Process(const Process&) = delete;
  Process(Process&&) = delete;
  Process& operator=(const Process&) = delete;
  Process& operator=(Process&&) = delete;
  ~Process();

  // Sends a line.
  void tell(const std::string& line);
  // The next line that the child prints, or nothing more than "" where it has ended.
  [[nodiscard]] std::string hear();

 private:
  pid_t child_ = -1;
  std::FILE* to_ = nullptr;
  std::FILE* from_ = nullptr;
};

}  // namespace simdrop::bench
