// What a call through the C API costs above the C++ call: the two in pairs, on the library that is
// installed. Use --benchmark_repetitions and --benchmark_enable_random_interleaving=true for
// medians of runs that alternate.
#include <benchmark/benchmark.h>

#include <array>
#include <cstdint>
#include <vector>

#include "simdrop/dropout.hpp"
#include "simdrop/linear.hpp"
#include "simdrop/simdrop.h"

namespace {

constexpr std::int64_t elements = 16;

struct Arrays {
  std::array<float, 16> x, y, bias;
  std::array<std::uint8_t, 2> mask{};
  simdrop_dropout dropout{};
  simdrop::Dropout same{.keep_prob = 0.5, .stream = {.seed = 1, .id = 2}};
  simdrop_error error = SIMDROP_ERROR_INIT;
  simdrop_exec exec{};

  Arrays() {
    x.fill(1.0F);
    y.fill(0.0F);
    bias.fill(0.5F);
    simdrop_dropout_init(&dropout, sizeof(dropout), nullptr);
    simdrop_exec_init(&exec, sizeof(exec), nullptr);
    dropout.keep_prob = same.keep_prob;
    dropout.seed = 1;
    dropout.stream_id = 2;
  }
};

void check(benchmark::State& state, simdrop_status status) {
  if (status != SIMDROP_OK) state.SkipWithError(simdrop_status_message(status));
}

void dropout_forward_cpp(benchmark::State& state) {
  Arrays a;
  for ([[maybe_unused]] auto _ : state) {
    simdrop::dropout_forward(a.same, std::span<const float>(a.x), std::span<float>(a.y), a.mask);
    benchmark::ClobberMemory();
  }
}

void dropout_forward_c(benchmark::State& state) {
  Arrays a;
  for ([[maybe_unused]] auto _ : state) {
    check(state, simdrop_dropout_forward(&a.dropout, SIMDROP_F32, 1, elements, a.x.data(), elements,
                                         a.y.data(), elements, a.mask.data(), &a.exec, &a.error));
    benchmark::ClobberMemory();
  }
}

void dropout_backward_cpp(benchmark::State& state) {
  Arrays a;
  for ([[maybe_unused]] auto _ : state) {
    simdrop::dropout_backward(0.5, a.mask, std::span<const float>(a.x), std::span<float>(a.y));
    benchmark::ClobberMemory();
  }
}

void dropout_backward_c(benchmark::State& state) {
  Arrays a;
  for ([[maybe_unused]] auto _ : state) {
    check(state, simdrop_dropout_backward_from_mask(0.5, a.mask.data(), SIMDROP_F32, 1, elements,
                                                    a.x.data(), elements, a.y.data(), elements,
                                                    nullptr, &a.error));
    benchmark::ClobberMemory();
  }
}

void bias_relu_cpp(benchmark::State& state) {
  Arrays a;
  for ([[maybe_unused]] auto _ : state) {
    simdrop::bias_relu_dropout_forward(a.same, std::span<const float>(a.x), a.bias,
                                       std::span<float>(a.y));
    benchmark::ClobberMemory();
  }
}

void bias_relu_c(benchmark::State& state) {
  Arrays a;
  for ([[maybe_unused]] auto _ : state) {
    check(state, simdrop_bias_relu_dropout_forward(&a.dropout, SIMDROP_F32, 1, elements, a.x.data(),
                                                   elements, a.bias.data(), a.y.data(), elements,
                                                   nullptr, &a.exec, &a.error));
    benchmark::ClobberMemory();
  }
}

void linear_forward_cpp(benchmark::State& state) {
  Arrays a;
  simdrop::LinearWorkspace workspace;
  const simdrop::ConstMatrix x(a.x.data(), 1, 4), w(a.x.data(), 4, 4);
  for ([[maybe_unused]] auto _ : state) {
    simdrop::linear_forward(x, w, {}, simdrop::Activation::relu, {}, {a.y.data(), 1, 4}, workspace);
    benchmark::ClobberMemory();
  }
}

void linear_forward_c(benchmark::State& state) {
  Arrays a;
  simdrop_linear_workspace* workspace = nullptr;
  check(state, simdrop_linear_workspace_create(&workspace, nullptr));
  for ([[maybe_unused]] auto _ : state) {
    check(state, simdrop_linear_forward(SIMDROP_F32, 1, 4, 4, a.x.data(), 4, a.x.data(), 4, nullptr,
                                        SIMDROP_ACTIVATION_RELU, nullptr, a.y.data(), 4, nullptr,
                                        workspace, &a.exec, &a.error));
    benchmark::ClobberMemory();
  }
  simdrop_linear_workspace_destroy(workspace);
}

}  // namespace

BENCHMARK(dropout_forward_cpp);
BENCHMARK(dropout_forward_c);
BENCHMARK(dropout_backward_cpp);
BENCHMARK(dropout_backward_c);
BENCHMARK(bias_relu_cpp);
BENCHMARK(bias_relu_c);
BENCHMARK(linear_forward_cpp);
BENCHMARK(linear_forward_c);

BENCHMARK_MAIN();
