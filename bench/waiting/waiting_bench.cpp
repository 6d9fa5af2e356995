// A training step on one and on two threads, beside other programs on the same cores: threads that
// wait for each other must not wait away the time of those that compute.
//
// Each sample is a process of its own: OpenMP reads its waiting policy when a program starts, and
// no thread of one sample is left to spin beside the next.
#include <sched.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <list>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "harness/process.h"
#include "simdrop/mlp.hpp"
#include "simdrop/optimizer.hpp"
#include "simdrop/threads.hpp"

namespace simdrop::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t batch = 128;

// Who runs a step. policy: of OMP_WAIT_POLICY, or "" for none, whatever the caller's environment.
struct Runner {
  std::string name;
  int threads;
  const char* policy;
  bool openmp = false;  // openmp_executor()
};
const std::vector<Runner> runners{{"1 thread", 1, ""},
                                  {"2, default", 2, ""},
                                  {"2, passive", 2, "passive"},
                                  {"2, active", 2, "active"},
                                  {"2, OpenMP", 2, "", true}};

struct Options {
  std::vector<int> neighbours{0, 2, 4, 6};
  std::string command;
  int cpus = 2;
  int rounds = 7;
  double seconds = 0.5;
  int sample = -1;  // of a child: the runner
};

struct Environment {
  int cpus;
  int neighbours;
};

// Mean milliseconds of a step, over at least `seconds` after a warm-up.
double step_ms(const Runner& runner, double seconds) {
  Mlp mlp({.widths = {784, 256, 256, 10},
           .keep_prob = {0.5, 0.5},
           .seed = 1,
           .max_batch = batch,
           .num_threads = runner.threads,
           .executor = runner.openmp ? openmp_executor() : nullptr});
  Optimizer optimizer({.learning_rate = 1e-3, .momentum = 0.9}, mlp.parameter_sizes());
  std::vector<float> x(batch * 784);
  std::vector<std::uint8_t> labels(batch);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i % 17) / 16.0F;
  for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<std::uint8_t>(i % 10);
  const auto run = [&](double least_seconds) {
    const Clock::time_point start = Clock::now();
    std::chrono::duration<double> taken{};
    int steps = 0;
    for (; taken.count() < least_seconds; taken = Clock::now() - start, ++steps) {
      mlp.train_step({x.data(), batch, 784}, std::span<const std::uint8_t>(labels), optimizer);
    }
    return 1e3 * taken.count() / steps;
  };
  run(seconds / 8);
  return run(seconds);
}

// This process, and its children, on the first so many of the CPUs that it was given.
void use_cpus(int count, const cpu_set_t& allowed) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (int cpu = 0; cpu < CPU_SETSIZE && CPU_COUNT(&set) < count; ++cpu) {
    if (CPU_ISSET(cpu, &allowed)) CPU_SET(cpu, &set);
  }
  sched_setaffinity(0, sizeof set, &set);
}

void set_or_unset(const char* variable, const std::string& value) {
  if (value.empty()) {
    unsetenv(variable);
  } else {
    setenv(variable, value.c_str(), 1);
  }
}

// In a process of its own.
double sample(std::size_t runner, const Options& options) {
  Process child([&] {
    set_or_unset("OMP_WAIT_POLICY", runners[runner].policy);
    unsetenv("GOMP_SPINCOUNT");
    execl("/proc/self/exe", "waiting_bench", "--sample", std::to_string(runner).c_str(),
          "--milliseconds", std::to_string(1e3 * options.seconds).c_str(), nullptr);
    throw std::runtime_error("cannot start itself");
  });
  const std::string answer = child.hear();
  const double ms = std::strtod(answer.c_str(), nullptr);
  if (!(ms > 0.0)) throw std::runtime_error("a sample failed: " + answer);
  return ms;
}

// A program that always has something to compute: a loop, or a command again and again.
void be_busy(const std::string& command) {
  if (!command.empty()) {
    const std::string loop = "while :; do " + command + "; done >/dev/null 2>&1 </dev/null";
    execl("/bin/sh", "sh", "-c", loop.c_str(), nullptr);
    throw std::runtime_error("no shell");
  }
  for (volatile std::uint64_t turns = 0;;) turns = turns + 1;
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// Median milliseconds of each runner, which take turns in another order each round.
std::vector<double> measure(const Environment& environment, const Options& options) {
  std::list<Process> neighbours;
  for (int n = 0; n < environment.neighbours; ++n) {
    neighbours.emplace_back([&] { be_busy(options.command); });
  }
  std::vector<std::vector<double>> samples(runners.size());
  std::vector<std::size_t> order;
  for (std::size_t r = 0; r < runners.size(); ++r) order.push_back(r);
  std::minstd_rand random(1);
  for (int round = 0; round < options.rounds; ++round) {
    std::shuffle(order.begin(), order.end(), random);
    for (const std::size_t r : order) samples[r].push_back(sample(r, options));
  }
  std::vector<double> medians;
  for (auto& of_runner : samples) medians.push_back(median(std::move(of_runner)));
  return medians;
}

void print_header() {
  std::puts("A step of 784-256-256-10, batch 128, keep .5: ms on one thread, and ratios to that\n");
  std::printf("%4s %10s %12s", "CPUs", "neighbours", "1 thread, ms");
  for (std::size_t r = 1; r < runners.size(); ++r) std::printf(" %10s", runners[r].name.c_str());
  std::puts("");
}

void print_row(const Environment& environment, const std::vector<double>& ms) {
  std::printf("%4d %10d %12.2f", environment.cpus, environment.neighbours, ms[0]);
  for (std::size_t r = 1; r < ms.size(); ++r) std::printf(" %10.2f", ms[r] / ms[0]);
  std::puts("");
  std::fflush(stdout);
}

void run(const Options& options) {
  cpu_set_t allowed;
  sched_getaffinity(0, sizeof allowed, &allowed);
  std::vector<Environment> environments{{1, 0}};
  for (const int n : options.neighbours) environments.push_back({options.cpus, n});
  print_header();
  for (const Environment& environment : environments) {
    use_cpus(environment.cpus, allowed);
    print_row(environment, measure(environment, options));
  }
}

}  // namespace
}  // namespace simdrop::bench

int main(int argc, char** argv) {
  using namespace simdrop::bench;
  Options options;
  CLI::App app("Steps on threads that wait for each other, beside busy programs");
  app.add_option("--neighbours", options.neighbours, "Busy programs, for each row")
      ->check(CLI::Range(0, 256))
      ->capture_default_str();
  app.add_option("--command", options.command,
                 "What a neighbour runs again and again, by /bin/sh; a plain loop if empty");
  app.add_option("--cpus", options.cpus, "CPUs that the steps and their neighbours share")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  app.add_option("--rounds", options.rounds, "Medians are over this many rounds")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option_function<double>(
         "--milliseconds", [&options](double value) { options.seconds = value * 1e-3; },
         "Least time of a sample")
      ->check(CLI::PositiveNumber)
      ->default_str("500");
  app.add_option("--sample", options.sample, "One sample of this runner, and nothing else")
      ->check(CLI::Range(std::size_t{0}, runners.size() - 1));
  CLI11_PARSE(app, argc, argv);
  try {
    if (options.sample >= 0) {
      const Runner& runner = runners[static_cast<std::size_t>(options.sample)];
      std::printf("%.6f\n", step_ms(runner, options.seconds));
    } else {
      run(options);
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "waiting_bench: %s\n", error.what());
    return 1;
  }
  return 0;
}
