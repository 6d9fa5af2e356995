#include "products/blas_probe.h"

#include <algorithm>
#include <cstdio>
#include <exception>
#include <string>

#include "products/blas_process.h"

namespace simdrop::bench {
namespace {

// GFLOP/s, or 0; about: what it is, or what is wrong.
double rate(const BlasChoice& choice, int threads, std::string& about) {
  try {
    BlasProcess process(choice);
    about = process.about();
    return process.probe(threads);
  } catch (const std::exception& error) {
    about = error.what();
    return 0.0;
  }
}

}  // namespace

std::optional<BlasChoice> fastest(const std::vector<BlasChoice>& choices, int threads) {
  std::vector<double> reached(choices.size(), 0.0);
  std::vector<std::string> about(choices.size());
  for (int pass = 0; pass < 2; ++pass) {  // what disturbs one is over in the next
    for (std::size_t c = 0; c < choices.size(); ++c) {
      reached[c] = std::max(reached[c], rate(choices[c], threads, about[c]));
    }
  }
  std::optional<BlasChoice> best;
  double best_rate = 0.0;
  for (std::size_t c = 0; c < choices.size(); ++c) {
    const std::string what = choices[c].who() + ": " + choices[c].describe() + ": " + about[c];
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
