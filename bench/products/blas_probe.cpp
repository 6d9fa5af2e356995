#include "products/blas_probe.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <exception>
#include <sstream>

#include "harness/process.h"
#include "harness/timing.h"

namespace simdrop::bench {
namespace {

constexpr std::array<Shape, 2> probe_shapes{{{256, 1024, 1024}, {64, 256, 256}}};
constexpr Timing probe_timing{.rounds = 3, .seconds = 4e-3};

template <class T>
double log_rate(const Blas& blas) {
  double sum = 0.0;
  for (const Shape& shape : probe_shapes) {
    const Pool<T> pool(shape);
    std::vector<Case> cases;
    for (const Product product : products) {
      cases.push_back(make_case("", shape.flops(), [&, product](std::size_t turn) {
        multiply(blas, product, pool[turn]);
      }));
    }
    for (const double seconds : median_seconds(cases, probe_timing)) {
      sum += std::log(shape.flops() / seconds * 1e-9);
    }
  }
  return sum / static_cast<double>(probe_shapes.size() * products.size());
}

// Geometric mean of GFLOP/s, in a process that has this one's only thread.
double rate(const Blas& blas, int threads) {
  blas.set_threads(threads);
  return std::exp((log_rate<float>(blas) + log_rate<double>(blas)) / 2);
}

// "GFLOP/s what it is", or what is wrong behind a 0.
std::string ask(const BlasChoice& choice, int threads) {
  Process child([&] {
    try {
      const Blas blas = load(choice);
      std::printf("%g %s; %s\n", rate(blas, threads), blas.code.c_str(), blas.version.c_str());
    } catch (const std::exception& error) {
      std::printf("0 %s\n", error.what());
    }
  });
  const std::string text = child.hear();
  return text.empty() ? "0 crashed" : text;
}

}  // namespace

std::optional<BlasChoice> fastest(const std::vector<BlasChoice>& choices, int threads) {
  std::vector<double> reached(choices.size(), 0.0);
  std::vector<std::string> about(choices.size());
  for (int pass = 0; pass < 2; ++pass) {  // what disturbs one is over in the next
    for (std::size_t c = 0; c < choices.size(); ++c) {
      std::istringstream reply(ask(choices[c], threads));
      double now = 0.0;
      reply >> now;
      std::getline(reply, about[c]);
      reached[c] = std::max(reached[c], now);
    }
  }
  std::optional<BlasChoice> best;
  double best_rate = 0.0;
  for (std::size_t c = 0; c < choices.size(); ++c) {
    const std::string what = choices[c].who() + ": " + choices[c].describe() + ":" + about[c];
    if (reached[c] == 0.0) {
      std::printf("SKIPPED %s\n", what.c_str());
      continue;
    }
    std::printf("%7.1f %s\n", reached[c], what.c_str());
    if (reached[c] > best_rate) {
      best_rate = reached[c];
      best = choices[c];
    }
  }
  return best;
}

}  // namespace simdrop::bench
