// The activations and losses of output layers.
#include <cstring>

#include "kernel_benchmarks.h"

namespace simdrop::bench {
namespace {

// Output layers of n elements: one output (sigmoid, identity) or ten classes (softmax) a row.
struct Outputs {
  Outputs(std::size_t n, std::size_t cols)
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

constexpr std::size_t softmax_bytes = 16;
constexpr std::size_t elementwise_bytes = 28;  // targets and losses are as many as outputs

}  // namespace

void bench_softmax_ce(const detail::KernelTable& table) {
  at_sizes({"softmax_ce", "f32", table.name}, [&table](benchmark::State& state, std::size_t n) {
    const Outputs out(n, 10);
    run_calls(state, n, softmax_bytes,
              [&](std::uint64_t) { table.softmax_ce_f32(out.rows, out.labels.data()); });
  });
}

void bench_sigmoid_bce(const detail::KernelTable& table) {
  at_sizes({"sigmoid_bce", "f32", table.name}, [&table](benchmark::State& state, std::size_t n) {
    const Outputs out(n, 1);
    run_calls(state, n, elementwise_bytes,
              [&](std::uint64_t) { table.sigmoid_bce_f32(out.rows, out.y.data(), 1); });
  });
}

void bench_identity_mse(const detail::KernelTable& table) {
  at_sizes({"identity_mse", "f32", table.name}, [&table](benchmark::State& state, std::size_t n) {
    const Outputs out(n, 1);
    run_calls(state, n, elementwise_bytes,
              [&](std::uint64_t) { table.identity_mse_f32(out.rows, out.y.data(), 1); });
  });
}

}  // namespace simdrop::bench
