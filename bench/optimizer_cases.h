// The optimiser updates of kernel_bench: SGD with momentum, Adam, and both with the max-norm
// constraint, on rows of 1024 weights.
#pragma once

#include <cstring>

#include "kernel_arrays.h"
#include "kernels/kernel_table.h"

namespace simdrop::bench {

inline constexpr std::size_t weights_per_row = 1024;
inline constexpr std::size_t sgd_bytes = 20;   // reads gradient, weights, momentum; writes two
inline constexpr std::size_t adam_bytes = 28;  // one array of state more
inline constexpr detail::SgdParams sgd_params{1e-6F, .9F, 0.0F, false};
inline constexpr detail::AdamParams adam_params{.9F,  .1F,  .999F, .001F, 1e-8F,
                                                0.0F, 0.0F, 1e-6F, 1.0F};

inline void sgd(benchmark::State& state, const detail::KernelTable& table, std::size_t n, double) {
  const Arrays<float> a(n);
  measure(state, n, sgd_bytes,
          [&](std::uint64_t) { table.sgd_f32(sgd_params, n, a.x.data(), a.y.data(), a.z.data()); });
}

// Hit: negative weight decay makes every row grow beyond the limit in every step.
template <bool Hit>
void sgd_max_norm(benchmark::State& state, const detail::KernelTable& table, std::size_t n,
                  double) {
  const Arrays<float> a(n);
  const detail::SgdParams params = Hit ? detail::SgdParams{1e-6F, .9F, -1e4F, false} : sgd_params;
  measure(state, n, sgd_bytes, [&](std::uint64_t) {
    table.sgd_rows_f32(params, Hit ? 3.0 : 1e3, n / weights_per_row, weights_per_row, a.x.data(),
                       a.y.data(), a.z.data());
  });
}

template <class Update>
void adam_case(benchmark::State& state, std::size_t n, Update update) {
  const Arrays<float> a(n);
  const Buffer<float> second(n, 17);
  std::memset(second.data(), 0, n * sizeof(float));
  measure(state, n, adam_bytes,
          [&](std::uint64_t) { update(a.x.data(), a.y.data(), a.z.data(), second.data()); });
}

inline void adam(benchmark::State& state, const detail::KernelTable& table, std::size_t n, double) {
  adam_case(state, n, [&](auto... arrays) { table.adam_f32(adam_params, n, arrays...); });
}

inline void adam_max_norm(benchmark::State& state, const detail::KernelTable& table, std::size_t n,
                          double) {
  adam_case(state, n, [&](auto... arrays) {
    table.adam_rows_f32(adam_params, 1e3, n / weights_per_row, weights_per_row, arrays...);
  });
}

}  // namespace simdrop::bench
