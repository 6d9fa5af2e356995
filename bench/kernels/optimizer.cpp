// The optimiser updates: SGD with momentum, Adam, both with the max-norm constraint, and the
// constraint alone, on rows of layer_width weights.
#include <cstring>

#include "kernel_benchmarks.h"

namespace simdrop::bench {
namespace {

using detail::AdamParams;
using detail::KernelTable;
using detail::SgdParams;

constexpr std::size_t sgd_bytes = 20;   // reads gradient, weights, momentum; writes two
constexpr std::size_t adam_bytes = 28;  // one array of state more
constexpr SgdParams sgd_params{1e-6F, .9F, 0.0F, false};
constexpr AdamParams adam_params{.9F, .1F, .999F, .001F, 1e-8F, 0.0F, 0.0F, 1e-6F, 1.0F};
constexpr double unreached_norm = 1e3;
constexpr double exceeded_norm = 3.0;

void run_sgd_rows(benchmark::State& state, const KernelTable& table, std::size_t n,
                  const SgdParams& params, double max_norm) {
  const Arrays<float> a(n);
  run_calls(state, n, sgd_bytes, [&](std::uint64_t) {
    table.sgd_rows_f32(params, max_norm, n / layer_width, layer_width, a.x.data(), a.y.data(),
                       a.z.data());
  });
}

template <class Update>
void run_adam(benchmark::State& state, std::size_t n, Update update) {
  const Arrays<float> a(n);
  const Buffer<float> second(n, 17);
  std::memset(second.data(), 0, n * sizeof(float));
  run_calls(state, n, adam_bytes,
            [&](std::uint64_t) { update(a.x.data(), a.y.data(), a.z.data(), second.data()); });
}

// `shrink` times the limit with every call.
void run_limit_norms(benchmark::State& state, const KernelTable& table, std::size_t n,
                     double max_norm, double shrink) {
  const Arrays<float> a(n);
  run_calls(state, n, 2 * sizeof(float), [&](std::uint64_t) {
    max_norm *= shrink;
    table.limit_norms_f32(max_norm, n / layer_width, layer_width, a.x.data());
  });
}

}  // namespace

void bench_sgd(const KernelTable& table) {
  at_sizes({"sgd", "f32", table.name}, [&table](benchmark::State& state, std::size_t n) {
    const Arrays<float> a(n);
    run_calls(state, n, sgd_bytes, [&](std::uint64_t) {
      table.sgd_f32(sgd_params, n, a.x.data(), a.y.data(), a.z.data());
    });
  });
}

void bench_adam(const KernelTable& table) {
  at_sizes({"adam", "f32", table.name}, [&table](benchmark::State& state, std::size_t n) {
    run_adam(state, n, [&](auto... arrays) { table.adam_f32(adam_params, n, arrays...); });
  });
}

void bench_sgd_rows(const KernelTable& table) {
  at_sizes({"sgd_max_norm", "f32", table.name}, [&table](benchmark::State& state, std::size_t n) {
    run_sgd_rows(state, table, n, sgd_params, unreached_norm);
  });
  // Negative weight decay makes every row grow beyond the limit in every step.
  at_sizes({"sgd_max_norm_hit", "f32", table.name},
           [&table](benchmark::State& state, std::size_t n) {
             run_sgd_rows(state, table, n, {1e-6F, .9F, -1e4F, false}, exceeded_norm);
           });
}

void bench_adam_rows(const KernelTable& table) {
  at_sizes({"adam_max_norm", "f32", table.name}, [&table](benchmark::State& state, std::size_t n) {
    run_adam(state, n, [&](auto... arrays) {
      table.adam_rows_f32(adam_params, unreached_norm, n / layer_width, layer_width, arrays...);
    });
  });
}

void bench_limit_norms(const KernelTable& table) {
  at_sizes({"limit_norms", "f32", table.name}, [&table](benchmark::State& state, std::size_t n) {
    run_limit_norms(state, table, n, unreached_norm, 1.0);
  });
  // A limit that goes down by more than a rounding error is exceeded in every call.
  at_sizes({"limit_norms_hit", "f32", table.name},
           [&table](benchmark::State& state, std::size_t n) {
             run_limit_norms(state, table, n, exceeded_norm, 1.0 - 1e-6);
           });
}

}  // namespace simdrop::bench
