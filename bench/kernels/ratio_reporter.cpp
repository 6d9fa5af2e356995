#include "ratio_reporter.h"

#include <algorithm>
#include <iomanip>
#include <ostream>
#include <sstream>

namespace simdrop::bench {
namespace {

// kernel/dtype/isa/elements[/keep_prob]
std::vector<std::string> split(const std::string& name) {
  std::vector<std::string> parts;
  std::stringstream stream(name);
  for (std::string part; std::getline(stream, part, '/');) parts.push_back(part);
  return parts;
}

std::string join(const std::vector<std::string>& parts) {
  std::string name;
  for (const std::string& part : parts) name += (name.empty() ? "" : "/") + part;
  return name;
}

double median(std::vector<double> values) {
  if (values.empty()) return 0.0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// A kernel is serial, and has its core to itself on a quiet machine.
constexpr double least_core_share = 0.9;

void print_ratio(std::ostream& out, double rate, double yardstick) {
  if (yardstick > 0.0) {
    out << std::setw(10) << rate / yardstick;
  } else {
    out << std::setw(10) << '-';
  }
}

}  // namespace

void RatioReporter::ReportRuns(const std::vector<Run>& runs) {
  ConsoleReporter::ReportRuns(runs);
  for (const Run& run : runs) {
    const auto items = run.counters.find("items_per_second");
    if (run.run_type != Run::RT_Iteration || run.error_occurred || items == run.counters.end()) {
      continue;
    }
    real_seconds_ += run.real_accumulated_time;
    cpu_seconds_ += run.cpu_accumulated_time;
    rates_[run.run_name.function_name].push_back(items->second.value);
  }
}

void RatioReporter::Finalize() {
  ConsoleReporter::Finalize();
  std::ostream& out = GetOutputStream();
  out << "\nmedians of this run" << std::string(37, ' ') << "G items/s  of memcpy of scalar\n";
  const auto rate_of = [&](const std::vector<std::string>& parts) {
    const auto found = rates_.find(join(parts));
    return found == rates_.end() ? 0.0 : median(found->second);
  };
  for (const auto& [name, rates] : rates_) {
    std::vector<std::string> parts = split(name);
    if (parts.size() < 4) continue;
    const double rate = median(rates);
    out << std::left << std::setw(55) << name << std::right << std::fixed << std::setprecision(3)
        << std::setw(10) << rate / 1e9;
    print_ratio(out, rate, rate_of({"memcpy", parts[1], "libc", parts[3]}));
    parts[2] = "scalar";
    print_ratio(out, rate, rate_of(parts));
    out << '\n';
  }
  if (cpu_seconds_ < least_core_share * real_seconds_) {
    out << "\nThe machine was busy: kernels had a core for " << std::setprecision(0)
        << 100.0 * cpu_seconds_ / real_seconds_ << " % of the time.\n"
        << "Do not rely on these figures.\n";
  }
}

}  // namespace simdrop::bench
