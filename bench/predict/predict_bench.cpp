// Inference with 784-1024-1024-10: how long a batch takes, beside a loop that does nothing but read
// the same weights; and Monte Carlo dropout beside as many calls of forward().
#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "harness/timing.h"
#include "harness/timing_options.h"
#include "probes/vector_limits.h"
#include "simdrop/isa.hpp"
#include "simdrop/mlp.hpp"

namespace simdrop::bench {
namespace {

constexpr std::size_t samples = 32;
constexpr std::size_t chunk = 256;  // a load loop takes multiples of it

#if defined(_OPENMP)
constexpr std::array<int, 2> threads{1, 2};
#else
constexpr std::array<int, 1> threads{1};
#endif

std::string name_of(const char* what, std::size_t rows, int team) {
  return std::string(what) + '/' + std::to_string(rows) + '/' + std::to_string(team);
}

// A network and the arrays of its calls.
struct Subject {
  int team;
  Mlp mlp;
  std::vector<float> x, out, variance;

  Subject(int num_threads, std::size_t max_rows)
      : team(num_threads),
        mlp({.widths = {784, 1024, 1024, 10},
             .keep_prob = {0.5, 0.5},
             .seed = 1,
             .max_batch = std::max(max_rows, samples),
             .num_threads = num_threads}),
        x(max_rows * 784),
        out(max_rows * 10),
        variance(max_rows * 10) {
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i % 17) / 16.0F;
  }
  [[nodiscard]] ConstMatrix rows(std::size_t n) const { return {x.data(), n, 784}; }
  [[nodiscard]] Matrix outputs(std::size_t n) { return {out.data(), n, 10}; }
};

// Each thread reads its part of every matrix, as predict() has them read it.
void read_weights(const Subject& subject, MemoryLoop load) {
  const auto parts = static_cast<std::size_t>(subject.team);
#if defined(_OPENMP)
#pragma omp parallel for num_threads(subject.team) schedule(static, 1)
#endif
  for (std::size_t part = 0; part < parts; ++part) {
    for (std::size_t l = 1; l <= subject.mlp.num_layers(); ++l) {
      const ConstMatrix w = subject.mlp.weights(l);
      const std::size_t n = w.size() / parts / chunk * chunk;
      load(w.data + part * n, nullptr, nullptr, n, 1);
    }
  }
}

void add_case(std::vector<Case>& cases, const std::string& name, std::function<void()> call) {
  cases.push_back(make_case(name, 1.0, [call = std::move(call)](std::size_t) { call(); }));
}

void add_cases(std::vector<Case>& cases, Subject& s, const std::vector<std::size_t>& batches) {
  if (const IsaLimits* limits = isa_limits(active_isa())) {
    add_case(cases, name_of("read", 0, s.team),
             [&s, load = limits->load] { read_weights(s, load); });
  }
  for (const std::size_t n : batches) {
    add_case(cases, name_of("predict", n, s.team),
             [&s, n] { s.mlp.predict(s.rows(n), s.outputs(n)); });
    add_case(cases, name_of("monte_carlo", n, s.team), [&s, n] {
      s.mlp.predict_monte_carlo(s.rows(n), samples, s.outputs(n), {s.variance.data(), n, 10});
    });
    add_case(cases, name_of("forwards", n, s.team), [&s, n] {
      for (std::uint64_t step = 0; step < samples; ++step) s.mlp.forward(s.rows(n), step);
    });
  }
}

double microseconds(const Rates& rates, const std::string& name) {
  const double rate = rates[name];
  return rate > 0.0 ? 1e6 / rate : 0.0;
}

void print(const Rates& rates, int team, const std::vector<std::size_t>& batches) {
  const double read = microseconds(rates, name_of("read", 0, team));
  std::printf("%d thread%s: reading the weights takes %.1f us\n", team, team == 1 ? "" : "s", read);
  std::printf("%6s %12s %16s %22s %16s\n", "rows", "predict, us", "read / predict",
              "32 samples, us", "32 forward(), us");
  for (const std::size_t n : batches) {
    const double predict = microseconds(rates, name_of("predict", n, team));
    std::printf("%6zu %12.1f %16.2f %22.1f %16.1f\n", n, predict, read / predict,
                microseconds(rates, name_of("monte_carlo", n, team)),
                microseconds(rates, name_of("forwards", n, team)));
  }
}

}  // namespace
}  // namespace simdrop::bench

int main(int argc, char** argv) {
  using namespace simdrop::bench;
  CLI::App app("Inference as a fraction of the time to read the weights");
  Timing timing;
  std::vector<std::size_t> batches{1, 2, 4, 8, 16};
  add_timing_options(app, timing);
  app.add_option("--batches", batches, "rows of a call")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);

  std::vector<Subject> subjects;
  subjects.reserve(threads.size());
  std::vector<Case> cases;
  for (const int team : threads) {
    subjects.emplace_back(team, *std::max_element(batches.begin(), batches.end()));
    add_cases(cases, subjects.back(), batches);
  }
  const Rates rates = measure(cases, timing);
  for (const int team : threads) print(rates, team, batches);
  report_disturbance();
  return 0;
}
