// Google Benchmark's console output, followed by a table of ratios within the run.
#pragma once

#include <benchmark/benchmark.h>

#include <map>
#include <string>
#include <vector>

namespace simdrop::bench {

// Collects items per second by benchmark name; at the end prints each kernel's median as a ratio
// to memcpy of as many elements, and to the scalar table's kernel, where the run has them.
class RatioReporter : public benchmark::ConsoleReporter {
 public:
  // Colours are for terminals.
  explicit RatioReporter(bool colours) : ConsoleReporter(colours ? OO_ColorTabular : OO_Tabular) {}
  void ReportRuns(const std::vector<Run>& runs) override;
  void Finalize() override;

 private:
  std::map<std::string, std::vector<double>> rates_;
  double real_seconds_ = 0.0;
  double cpu_seconds_ = 0.0;
};

}  // namespace simdrop::bench
