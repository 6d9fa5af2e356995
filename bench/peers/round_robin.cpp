#include "peers/round_robin.h"

#include <algorithm>
#include <chrono>
#include <numeric>
#include <random>

namespace simdrop::bench {
namespace {

constexpr std::size_t floats_per_line = 16;
constexpr std::size_t spare_lines = 64;

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Mean seconds of as many calls as fill the time, and of one at least. Before them each input is
// used once: whatever ran before has left something else in the caches.
double seconds_per_call(const Case& what, const Workspace& workspace, double seconds) {
  const auto before = Clock::now();
  for (std::size_t turn = 0; turn < 2 && seconds_since(before) < seconds; ++turn) {
    what.run(workspace.arrays(turn));
  }
  std::size_t calls = 0;
  const auto start = Clock::now();
  for (;;) {
    what.run(workspace.arrays(calls++));
    const double elapsed = seconds_since(start);
    if (elapsed >= seconds) return elapsed / static_cast<double>(calls);
  }
}

}  // namespace

Workspace::Workspace(std::size_t n)
    : x_{allocate(n), allocate(n)}, y_(allocate(n)), words_(allocate(n)) {
  for (std::size_t which = 0; which < 2; ++which) {
    float* x = at_line(x_[which], 1 + 6 * which);
    for (std::size_t i = 0; i < n; ++i) {  // in [-1, 1), and never 0: a 0 shows what was dropped
      const auto mixed = static_cast<std::uint32_t>(i + which * n) * 2654435761U;
      x[i] = (static_cast<float>(mixed >> 8U) + 0.5F) * 0x1p-23F - 1.0F;
    }
  }
}

Workspace::Buffer Workspace::allocate(std::size_t n) {
  const std::size_t floats = n + spare_lines * floats_per_line;
  return Buffer(new (std::align_val_t{4096}) float[floats]());
}

// Arrays that start at equal page offsets would make stores alias the loads of the next line.
float* Workspace::at_line(const Buffer& buffer, std::size_t line) {
  return buffer.get() + line * floats_per_line;
}

Arrays Workspace::arrays(std::size_t turn) const {
  const std::size_t which = turn % 2;
  return {at_line(x_[which], 1 + 6 * which), at_line(y_, 21),
          reinterpret_cast<std::uint32_t*>(at_line(words_, 33))};
}

std::vector<double> median_seconds(const std::vector<Case>& cases, const Workspace& workspace,
                                   const Timing& timing) {
  std::vector<std::vector<double>> samples(cases.size());
  std::vector<std::size_t> order(cases.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::minstd_rand random(1);
  for (int round = 0; round < timing.rounds; ++round) {
    std::shuffle(order.begin(), order.end(), random);  // no case always follows the same other one
    for (const std::size_t c : order) {
      samples[c].push_back(seconds_per_call(cases[c], workspace, timing.milliseconds * 1e-3));
    }
  }
  std::vector<double> medians;
  for (const auto& of_case : samples) medians.push_back(median(of_case));
  return medians;
}

}  // namespace simdrop::bench
