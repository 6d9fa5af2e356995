#include "limits/limits_runner.h"

#include <algorithm>
#include <chrono>

namespace simdrop::bench {
namespace {

double seconds_of(const Case& c, std::size_t repeats) {
  const auto start = std::chrono::steady_clock::now();
  c.run(repeats);
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// How often to repeat a case to fill `seconds`; its first, cold run does not
// count.
std::size_t calibrate(const Case& c, double seconds) {
  c.run(1);
  std::size_t repeats = 1;
  double taken = seconds_of(c, repeats);
  while (taken < seconds / 8) {
    repeats *= 4;
    taken = seconds_of(c, repeats);
  }
  return std::max<std::size_t>(
      1, static_cast<std::size_t>(static_cast<double>(repeats) * seconds / taken));
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace

double Rates::operator[](const std::string& name) const {
  const auto found = rates_.find(name);
  return found == rates_.end() ? 0.0 : found->second;
}

Rates measure(const std::vector<Case>& cases, const Timing& timing) {
  std::vector<std::size_t> repeats;
  repeats.reserve(cases.size());
  for (const Case& c : cases) repeats.push_back(calibrate(c, timing.seconds));
  std::vector<std::vector<double>> seconds(cases.size());
  for (int round = 0; round < timing.rounds; ++round) {
    for (std::size_t i = 0; i < cases.size(); ++i) {
      seconds[i].push_back(seconds_of(cases[i], repeats[i]));
    }
  }
  Rates rates;
  for (std::size_t i = 0; i < cases.size(); ++i) {
    rates.set(cases[i].name, cases[i].units * static_cast<double>(repeats[i]) / median(seconds[i]));
  }
  return rates;
}

}  // namespace simdrop::bench
