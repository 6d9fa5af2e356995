#include "products/blas_probe.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <exception>
#include <sstream>

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

[[noreturn]] void answer(const BlasChoice& choice, int threads, int pipe) {
  std::ostringstream text;
  try {
    const Blas blas = load(choice);
    text << rate(blas, threads) << " " << blas.code << "; " << blas.version;
  } catch (const std::exception& error) {
    text << 0 << " " << error.what();
  }
  const std::string line = text.str();
  const bool written = write(pipe, line.data(), line.size()) == static_cast<ssize_t>(line.size());
  _exit(written ? 0 : 1);
}

// "GFLOP/s what it is", or what is wrong behind a 0.
std::string ask(const BlasChoice& choice, int threads) {
  std::array<int, 2> ends{};
  if (pipe(ends.data()) != 0) return "0 no pipe";
  std::fflush(stdout);
  const pid_t child = fork();
  if (child == 0) answer(choice, threads, ends[1]);
  close(ends[1]);
  std::string text;
  std::array<char, 512> part{};
  for (ssize_t n = 0; (n = read(ends[0], part.data(), part.size())) > 0;) {
    text.append(part.data(), static_cast<std::size_t>(n));
  }
  close(ends[0]);
  int status = 0;
  if (child > 0) waitpid(child, &status, 0);
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
