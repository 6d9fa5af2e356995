// The kernels of output layers in kernel_bench.
#pragma once

#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "kernel_arrays.h"
#include "kernels/kernel_table.h"

namespace simdrop::bench {

// Output layers of n elements: one output (sigmoid, identity) or ten classes (softmax) a row.
struct Outputs {
  explicit Outputs(std::size_t n, std::size_t cols)
      : arrays(n), y(n, 17), bias(16, 23), losses(n / cols), labels(n / cols, 1) {
    std::memset(bias.data(), 0, 16 * sizeof(float));  // values must not grow
    rows = {n / cols,        cols,         cols, bias.data(), arrays.x.data(), arrays.y.data(),
            arrays.z.data(), losses.data()};
  }
  Arrays<float> arrays;
  Buffer<float> y, bias;
  std::vector<double> losses;
  std::vector<std::uint8_t> labels;
  detail::OutputRows rows{};
};

inline void bench_softmax_ce(benchmark::State& state, const detail::KernelTable& table,
                             std::size_t n, double) {
  const Outputs out(n, 10);
  measure(state, n, 16, [&](std::uint64_t) { table.softmax_ce_f32(out.rows, out.labels.data()); });
}

inline void bench_sigmoid_bce(benchmark::State& state, const detail::KernelTable& table,
                              std::size_t n, double) {
  const Outputs out(n, 1);
  measure(state, n, 28, [&](std::uint64_t) { table.sigmoid_bce_f32(out.rows, out.y.data(), 1); });
}

inline void bench_identity_mse(benchmark::State& state, const detail::KernelTable& table,
                               std::size_t n, double) {
  const Outputs out(n, 1);
  measure(state, n, 28, [&](std::uint64_t) { table.identity_mse_f32(out.rows, out.y.data(), 1); });
}

}  // namespace simdrop::bench
