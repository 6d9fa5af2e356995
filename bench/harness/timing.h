// Times cases in turn, in another order each round, so that what disturbs the machine for a while
// disturbs all of them, and keeps the medians.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace simdrop::bench {

// What some calls took.
struct Taken {
  double seconds = 0.0;
  long preemptions = 0;  // how often the scheduler took a core away meanwhile
};

struct Case {
  std::string name;
  double units;  // done by one call
  // Does calls number first ... first + count - 1. They may take other inputs in turn.
  std::function<void(std::size_t first, std::size_t count)> run{};
  // Instead of run: has another process do and time them.
  std::function<Taken(std::size_t first, std::size_t count)> run_elsewhere{};
};

// Does calls of a case here, and times them.
[[nodiscard]] Taken timed(const std::function<void(std::size_t first, std::size_t count)>& run,
                          std::size_t first, std::size_t count);

// A case that is long enough to be called one by one: call(number).
template <class Call>
Case make_case(std::string name, double units, Call call) {
  return {std::move(name),
          units,
          [call = std::move(call)](std::size_t first, std::size_t count) mutable {
            for (std::size_t i = first; i < first + count; ++i) call(i);
          },
          {}};
}

struct Timing {
  int rounds = 7;
  double seconds = 0.01;  // of each case in each round, one call at least
  // Before each sample: the idle threads of the one before have stopped to spin by then.
  double pause_seconds = 0.0;
};

// Prints a line if other programs disturbed many samples of this process, however often they were
// taken again: the figures of such a run say little.
void report_disturbance();

// Seconds of one call, for each case.
[[nodiscard]] std::vector<double> median_seconds(const std::vector<Case>& cases,
                                                 const Timing& timing);

// Units per second by name; 0 for what was not measured.
class Rates {
 public:
  [[nodiscard]] double operator[](const std::string& name) const;
  void set(const std::string& name, double rate) { rates_[name] = rate; }

 private:
  std::map<std::string, double> rates_;
};

[[nodiscard]] Rates measure(const std::vector<Case>& cases, const Timing& timing);

}  // namespace simdrop::bench
