// Times cases in turn and keeps the medians.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace simdrop::bench {

struct Case {
  std::string name;
  double units;                            // done by one repeat
  std::function<void(std::size_t)> run{};  // run(repeats)
};

struct Timing {
  int rounds = 7;
  double seconds = 0.01;  // of each case in each round
};

// Units per second by name; 0 for what was not measured.
class Rates {
 public:
  [[nodiscard]] double operator[](const std::string& name) const;
  void set(const std::string& name, double rate) { rates_[name] = rate; }

 private:
  std::map<std::string, double> rates_;
};

// Every round runs every case once, so that what disturbs the machine for a
// while hits all of them alike. Rates are medians over the rounds.
[[nodiscard]] Rates measure(const std::vector<Case>& cases, const Timing& timing);

}  // namespace simdrop::bench
