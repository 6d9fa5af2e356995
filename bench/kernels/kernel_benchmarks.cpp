#include "kernel_benchmarks.h"

#include <cstdio>
#include <utility>

#include "mask/mask_source.h"

namespace simdrop::bench {
namespace {

std::string full_name(const BenchName& name, std::size_t n) {
  return std::string(name.kernel) + "/" + name.dtype + "/" + name.isa + "/" + std::to_string(n);
}

}  // namespace

void at_sizes(const BenchName& name, std::function<void(benchmark::State&, std::size_t n)> body,
              std::size_t largest) {
  for (const std::size_t n : sizes) {
    if (n > largest) continue;
    benchmark::RegisterBenchmark(full_name(name, n).c_str(),
                                 [body, n](benchmark::State& state) { body(state, n); });
  }
}

void at_keep_probs(
    const BenchName& name,
    const std::function<void(benchmark::State&, std::size_t n, double keep_prob)>& body,
    std::size_t largest) {
  for (const std::size_t n : sizes) {
    if (n > largest) continue;
    for (const double keep_prob : keep_probs) {
      std::array<char, 16> text{};
      std::snprintf(text.data(), text.size(), "/%g", keep_prob);
      benchmark::RegisterBenchmark(
          (full_name(name, n) + text.data()).c_str(),
          [body, n, keep_prob](benchmark::State& state) { body(state, n, keep_prob); });
    }
  }
}

detail::MaskSource mask_source(double keep_prob) {
  return detail::make_mask_source({.keep_prob = keep_prob, .stream = {2026, 1}});
}

}  // namespace simdrop::bench
