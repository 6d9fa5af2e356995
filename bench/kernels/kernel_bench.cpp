// Every kernel on every table of this CPU, beside memcpy and a plain multiply of as many elements.
// Names: kernel/dtype/isa/elements[/keep_prob], of a product its terms for elements. Use
// --benchmark_repetitions and --benchmark_enable_random_interleaving=true for paired medians.
#include <unistd.h>

#include <cstdlib>
#include <string_view>

#include "dispatch/dispatch.h"
#include "kernel_benchmarks.h"
#include "ratio_reporter.h"
#include "simdrop/isa.hpp"

namespace {

using namespace simdrop::bench;

void register_table(const simdrop::detail::KernelTable& table) {
  bench_scale(table.isa, table.name);
#define SIMDROP_KERNEL(operation, kernel, ...) bench_##kernel(table);
#include "kernels/kernel_list.inc"
#undef SIMDROP_KERNEL
}

void register_all() {
  bench_memcpy();
  for (const simdrop::IsaInfo& info : simdrop::isa_list()) {
    const auto* table = simdrop::detail::kernel_table(info.isa);
    if (table != nullptr) register_table(*table);
  }
}

// Whether standard output is for a program: JSON or CSV and nothing else. Google Benchmark has no
// function that tells.
bool wants_data(int argc, char** argv) {
  constexpr std::string_view flag = "--benchmark_format=";
  const char* variable = std::getenv("BENCHMARK_FORMAT");
  std::string_view format = variable != nullptr ? variable : "console";
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument.substr(0, flag.size()) == flag) format = argument.substr(flag.size());
  }
  return format != "console";
}

}  // namespace

int main(int argc, char** argv) {
  const bool data = wants_data(argc, argv);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::AddCustomContext("cpu", simdrop::cpu_name());
  register_all();
  RatioReporter ratios(isatty(STDOUT_FILENO) != 0);
  data ? benchmark::RunSpecifiedBenchmarks() : benchmark::RunSpecifiedBenchmarks(&ratios);
  benchmark::Shutdown();
  return 0;
}
