#include "products/timing.h"

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <numeric>
#include <random>
#include <thread>

namespace simdrop::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int max_takes = 4;

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// How often the scheduler has taken a core away from this process.
long preemptions() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_nivcsw;
}

// Mean seconds of as many calls as fill the time. Some come before that do not count: they wake
// the threads and bring code and buffers into the caches.
double seconds_per_call(const Call& call, double seconds) {
  std::size_t turn = 0;
  const auto run_for = [&](double least) {
    const std::size_t first = turn;
    const auto start = Clock::now();
    for (;;) {
      call(turn++);
      const double elapsed = std::chrono::duration<double>(Clock::now() - start).count();
      if (elapsed >= least) return elapsed / static_cast<double>(turn - first);
    }
  };
  run_for(seconds / 8);
  return run_for(seconds);
}

// A sample that somebody else's program disturbs is taken again: the least disturbed counts.
double undisturbed(const Call& call, const Timing& timing) {
  double best = 0.0;
  long fewest = std::numeric_limits<long>::max();
  for (int take = 0; take < max_takes && fewest > 0; ++take) {
    std::this_thread::sleep_for(
        std::chrono::duration<double, std::milli>(timing.pause_milliseconds));
    const long before = preemptions();
    const double seconds = seconds_per_call(call, timing.milliseconds * 1e-3);
    const long during = preemptions() - before;
    if (during < fewest) {
      fewest = during;
      best = seconds;
    }
  }
  return best;
}

}  // namespace

std::vector<double> median_seconds(const std::vector<Call>& calls, const Timing& timing) {
  std::vector<std::vector<double>> samples(calls.size());
  std::vector<std::size_t> order(calls.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::minstd_rand random(1);
  for (int round = 0; round < timing.rounds; ++round) {
    std::shuffle(order.begin(), order.end(), random);  // none always follows the same other one
    for (const std::size_t c : order) samples[c].push_back(undisturbed(calls[c], timing));
  }
  std::vector<double> medians;
  for (const auto& of_call : samples) medians.push_back(median(of_call));
  return medians;
}

}  // namespace simdrop::bench
