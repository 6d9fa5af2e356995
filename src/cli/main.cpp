// The simdrop program. Exit codes: 0 done, 1 a file or the run failed, 2 wrong arguments.

#include <csignal>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <new>
#include <stdexcept>
#include <string>

#include "cli/command_line.h"
#include "cli/demo.h"
#include "cli/memory.h"
#include "cli/terminal.h"
#include "cli/train.h"

namespace simdrop::cli {
namespace {

constexpr int kFailed = 1;
constexpr int kUsage = 2;

void run(const CommandLine& line) {
  switch (line.command) {
    case Command::text:
      return print(line.text);
    case Command::train:
      return run_train(line.train);
    case Command::overhead:
      return run_overhead(line.overhead);
    case Command::info:
      return run_info(line.info);
    case Command::demo:
      return run_demo(line.quick_demo);
  }
}

int report(const std::string& what, int code) {
  std::cerr << "simdrop: " << on_one_line(what.rfind("simdrop: ", 0) == 0 ? what.substr(9) : what)
            << '\n';
  return code;
}

int report_out_of_memory(const CommandLine& line) {
  return report(out_of_memory_text(memory_need(line)), kFailed);
}

}  // namespace
}  // namespace simdrop::cli

int main(int argc, char** argv) {
  simdrop::cli::fill_standard_descriptors();
  // A reader that has gone, and a limit on files: the calls say so, and what is half written goes.
  for (const int signal : {SIGPIPE, SIGXFSZ}) std::signal(signal, SIG_IGN);
  // However OpenMP's threads are told to wait: here the library's own run, which never spin for
  // long.
  for (const char* name : {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME"}) unsetenv(name);
  simdrop::cli::CommandLine line;
  try {
    line = simdrop::cli::read_command_line({argv + (argc > 0 ? 1 : 0), argv + argc});
    simdrop::cli::run(line);
    return 0;
  } catch (const std::invalid_argument& error) {
    return simdrop::cli::report(error.what(), simdrop::cli::kUsage);
  } catch (const std::bad_alloc&) {
    return simdrop::cli::report_out_of_memory(line);
  } catch (const std::length_error&) {  // a container beyond its max_size()
    return simdrop::cli::report_out_of_memory(line);
  } catch (const std::exception& error) {
    return simdrop::cli::report(error.what(), simdrop::cli::kFailed);
  }
}
