// The generator and the mask.
#include "kernel_benchmarks.h"

namespace simdrop::bench {

void bench_philox_fill(const detail::KernelTable& table) {
  at_sizes({"philox_fill", "u32", table.name}, [&table](benchmark::State& state, std::size_t n) {
    std::vector<std::uint32_t> words(n);
    run_calls(state, n, 4, [&](std::uint64_t first) {
      table.philox_fill(2026, 1, first / 4, 0, 10, words.data(), n);
    });
  });
}

void bench_bernoulli_mask(const detail::KernelTable& table) {
  at_keep_probs({"bernoulli_mask", "bit", table.name},
                [&table](benchmark::State& state, std::size_t n, double keep_prob) {
                  std::vector<std::uint8_t> bits(n / 8);
                  detail::MaskSource source = mask_source(keep_prob);
                  run_calls(state, n, 0, [&](std::uint64_t first) {
                    source.first = first;
                    table.bernoulli_mask(source, n, bits.data());
                  });
                });
}

}  // namespace simdrop::bench
