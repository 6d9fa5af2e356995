#include "harness/timing.h"

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <limits>
#include <numeric>
#include <random>
#include <thread>

namespace simdrop::bench {
namespace {

constexpr int max_takes = 4;

// A quiet machine interrupts a sample now and then, and hardly ever in every take of it.
constexpr double most_disturbed = 0.1;

struct Samples {
  long all = 0;
  long disturbed = 0;  // in every take
};
Samples samples_of_process;

// How often the scheduler has taken a core away from this process.
long preemptions() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_nivcsw;
}

class Sampler {
 public:
  // Finds how many calls fill `seconds`; the first, cold one does not count.
  Sampler(const Case& timed, double seconds) : case_(&timed) {
    run(1);
    Taken taken = run(count_);
    while (taken.seconds < seconds / 8) {
      count_ *= 4;
      taken = run(count_);
    }
    const double calls = std::ceil(static_cast<double>(count_) * seconds / taken.seconds);
    count_ = std::max<std::size_t>(1, static_cast<std::size_t>(calls));
  }

  // Mean seconds of a call. A sample that somebody else's program disturbs is taken again: the
  // least disturbed counts.
  double sample(double pause_seconds) {
    double best = 0.0;
    long fewest = std::numeric_limits<long>::max();
    for (int take = 0; take < max_takes && fewest > 0; ++take) {
      std::this_thread::sleep_for(std::chrono::duration<double>(pause_seconds));
      // Wakes threads, and brings code and arrays into the caches.
      const Taken warm_up = run(count_ / 8 + 1);
      const Taken taken = run(count_);
      const long during = warm_up.preemptions + taken.preemptions;
      if (during < fewest) {
        fewest = during;
        best = taken.seconds;
      }
    }
    ++samples_of_process.all;
    if (fewest > 0) ++samples_of_process.disturbed;
    return best / static_cast<double>(count_);
  }

 private:
  Taken run(std::size_t count) {
    const std::size_t first = next_;
    next_ += count;
    return case_->run_elsewhere ? case_->run_elsewhere(first, count)
                                : timed(case_->run, first, count);
  }

  const Case* case_;
  std::size_t count_ = 1;
  std::size_t next_ = 0;
};

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace

Taken timed(const std::function<void(std::size_t first, std::size_t count)>& run, std::size_t first,
            std::size_t count) {
  const long before = preemptions();
  const auto start = std::chrono::steady_clock::now();
  run(first, count);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  return {seconds.count(), preemptions() - before};
}

std::vector<double> median_seconds(const std::vector<Case>& cases, const Timing& timing) {
  std::vector<Sampler> samplers;
  for (const Case& timed : cases) samplers.emplace_back(timed, timing.seconds);
  std::vector<std::vector<double>> samples(cases.size());
  std::vector<std::size_t> order(cases.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::minstd_rand random(1);
  for (int round = 0; round < timing.rounds; ++round) {
    std::shuffle(order.begin(), order.end(), random);  // none always follows the same other one
    for (const std::size_t c : order) {
      samples[c].push_back(samplers[c].sample(timing.pause_seconds));
    }
  }
  std::vector<double> medians;
  for (auto& case_samples : samples) medians.push_back(median(std::move(case_samples)));
  return medians;
}

void report_disturbance() {
  const auto all = static_cast<double>(samples_of_process.all);
  const auto disturbed = static_cast<double>(samples_of_process.disturbed);
  if (disturbed <= most_disturbed * all) return;
  std::printf(
      "\nThe machine was busy: other programs interrupted %.0f %% of the samples, each time "
      "that they were taken.\nDo not rely on these figures.\n",
      100.0 * disturbed / all);
}

double Rates::operator[](const std::string& name) const {
  const auto found = rates_.find(name);
  return found == rates_.end() ? 0.0 : found->second;
}

Rates measure(const std::vector<Case>& cases, const Timing& timing) {
  const std::vector<double> seconds = median_seconds(cases, timing);
  Rates rates;
  for (std::size_t i = 0; i < cases.size(); ++i) {
    rates.set(cases[i].name, cases[i].units / seconds[i]);
  }
  return rates;
}

}  // namespace simdrop::bench
