// Every kernel on every table of this CPU, beside memcpy and a plain multiply of as many elements.
// Names: kernel/dtype/isa/elements[/keep_prob]. Use --benchmark_repetitions and
// --benchmark_enable_random_interleaving=true for paired medians.
#include <benchmark/benchmark.h>

#include <array>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "dispatch/dispatch.h"
#include "kernel_arrays.h"
#include "kernel_outputs.h"
#include "mask/mask_source.h"
#include "optimizer_cases.h"
#include "ratio_reporter.h"
#include "simdrop/dropout.hpp"
#include "simdrop/isa.hpp"

namespace {

using simdrop::bench::Arrays;
using simdrop::bench::Buffer;
using simdrop::bench::measure;
using simdrop::detail::KernelTable;
using simdrop::detail::MaskSource;
using simdrop::detail::Shape2D;

constexpr std::array<std::size_t, 4> sizes{1024, 65536, 1048576, 67108864};
constexpr std::array<double, 8> keep_probs{.999, .9, .8, .75, .7, .5, .25, .1};
constexpr std::size_t layer_width = 1024;  // bias kernels see a batch of rows this wide

MaskSource source_of(double keep_prob) {
  return simdrop::detail::make_mask_source({.keep_prob = keep_prob, .stream = {2026, 1}});
}

using Body = void (*)(benchmark::State&, const KernelTable&, std::size_t n, double keep_prob);

struct Kernel {
  const char* name;
  const char* dtype;
  bool random;  // measured at every keep_prob
  Body body;
};

template <class T>
struct Dtype;  // its name, its kernels, and what they calculate in
template <>
struct Dtype<float> {
  using Arithmetic = float;
  static constexpr const char* name = "f32";
  static const auto& kernels(const KernelTable& table) { return table.f32; }
};
template <>
struct Dtype<double> {
  using Arithmetic = double;
  static constexpr const char* name = "f64";
  static const auto& kernels(const KernelTable& table) { return table.f64; }
};
template <>
struct Dtype<simdrop::bfloat16> {
  using Arithmetic = float;
  static constexpr const char* name = "bf16";
  static const auto& kernels(const KernelTable& table) { return table.bf16; }
};
template <>
struct Dtype<simdrop::float16> {
  using Arithmetic = float;
  static constexpr const char* name = "f16";
  static const auto& kernels(const KernelTable& table) { return table.f16; }
};

// The shape of a call, written around the caches where the API would do so.
template <class T>
Shape2D shape_of(std::size_t rows, std::size_t cols) {
  const bool streaming = rows * cols * sizeof(T) >= simdrop::streaming_threshold_bytes;
  return {rows, cols, cols, cols, streaming};
}

template <class T>
void bench_memcpy(benchmark::State& state, std::size_t n) {
  const Arrays<T> a(n);
  measure(state, n, 2 * sizeof(T),
          [&](std::uint64_t) { std::memcpy(a.y.data(), a.x.data(), n * sizeof(T)); });
}

template <class T>
void bench_scale(benchmark::State& state, const KernelTable& table, std::size_t n, double) {
  const Arrays<T> a(n);
  measure(state, n, 2 * sizeof(T),
          [&](std::uint64_t) { Dtype<T>::kernels(table).scale(1.25F, a.x.data(), a.y.data(), n); });
}

void bench_philox_fill(benchmark::State& state, const KernelTable& table, std::size_t n, double) {
  std::vector<std::uint32_t> words(n);
  measure(state, n, 4, [&](std::uint64_t first) {
    table.philox_fill(2026, 1, first / 4, 0, 10, words.data(), n);
  });
}

void bench_bernoulli_mask(benchmark::State& state, const KernelTable& table, std::size_t n,
                          double keep_prob) {
  std::vector<std::uint8_t> bits(n / 8);
  MaskSource source = source_of(keep_prob);
  measure(state, n, 0, [&](std::uint64_t first) {
    source.first = first;
    table.bernoulli_mask(source, n, bits.data());
  });
}

template <class T, bool StoreMask>
void bench_dropout(benchmark::State& state, const KernelTable& table, std::size_t n,
                   double keep_prob) {
  Arrays<T> a(n);
  MaskSource source = source_of(keep_prob);
  const auto scale = static_cast<typename Dtype<T>::Arithmetic>(1.0 / keep_prob);
  measure(state, n, 2 * sizeof(T), [&](std::uint64_t first) {
    source.first = first;
    Dtype<T>::kernels(table).dropout(source, scale, shape_of<T>(1, n), a.x.data(), a.y.data(),
                                     StoreMask ? a.bits.data() : nullptr);
  });
}

template <class T>
void bench_dropout_backward_bits(benchmark::State& state, const KernelTable& table, std::size_t n,
                                 double) {
  const Arrays<T> a(n);
  MaskSource source = source_of(.5);
  source.bits_in = a.bits.data();
  measure(state, n, 2 * sizeof(T), [&](std::uint64_t) {
    Dtype<T>::kernels(table).dropout(source, 2.0F, shape_of<T>(1, n), a.x.data(), a.y.data(),
                                     nullptr);
  });
}

template <class T>
void bench_bias_relu_dropout(benchmark::State& state, const KernelTable& table, std::size_t n,
                             double keep_prob) {
  const Arrays<T> a(n);
  const Buffer<T> bias(layer_width, 17);
  MaskSource source = source_of(keep_prob);
  const auto scale = static_cast<typename Dtype<T>::Arithmetic>(1.0 / keep_prob);
  measure(state, n, 2 * sizeof(T), [&](std::uint64_t first) {
    source.first = first;
    Dtype<T>::kernels(table).bias_relu_dropout(source, scale,
                                               shape_of<T>(n / layer_width, layer_width),
                                               a.x.data(), bias.data(), a.y.data(), nullptr);
  });
}

template <class T>
void bench_relu_dropout_backward(benchmark::State& state, const KernelTable& table, std::size_t n,
                                 double) {
  const Arrays<T> a(n);
  measure(state, n, 3 * sizeof(T), [&](std::uint64_t) {
    Dtype<T>::kernels(table).relu_dropout_backward(2.0F, shape_of<T>(1, n), a.x.data(), a.z.data(),
                                                   n, a.y.data());
  });
}

void bench_add_bias(benchmark::State& state, const KernelTable& table, std::size_t n, double) {
  const Arrays<float> a(n);
  const Buffer<float> bias(layer_width, 17);
  std::memset(bias.data(), 0, layer_width * sizeof(float));  // values must not grow
  measure(state, n, 8, [&](std::uint64_t) {
    table.add_bias_f32(n / layer_width, layer_width, bias.data(), a.x.data(), layer_width);
  });
}

void bench_column_sum(benchmark::State& state, const KernelTable& table, std::size_t n, double) {
  const Arrays<float> a(n);
  const Buffer<float> sums(layer_width, 17);
  measure(state, n, 4, [&](std::uint64_t) {
    table.column_sum_f32(n / layer_width, layer_width, a.x.data(), layer_width, 1.0F, sums.data());
  });
}

template <class T>
std::vector<Kernel> elementwise() {
  const char* dtype = Dtype<T>::name;
  return {{"scale", dtype, false, bench_scale<T>},
          {"dropout_forward", dtype, true, bench_dropout<T, false>},
          {"dropout_forward_mask", dtype, true, bench_dropout<T, true>},
          {"dropout_backward", dtype, false, bench_dropout_backward_bits<T>},
          {"bias_relu_dropout_forward", dtype, true, bench_bias_relu_dropout<T>},
          {"relu_dropout_backward", dtype, false, bench_relu_dropout_backward<T>}};
}

std::vector<Kernel> all_kernels() {
  std::vector<Kernel> all{{"philox_fill", "u32", false, bench_philox_fill},
                          {"bernoulli_mask", "bit", true, bench_bernoulli_mask},
                          {"add_bias", "f32", false, bench_add_bias},
                          {"column_sum", "f32", false, bench_column_sum},
                          {"softmax_ce", "f32", false, simdrop::bench::bench_softmax_ce},
                          {"sigmoid_bce", "f32", false, simdrop::bench::bench_sigmoid_bce},
                          {"identity_mse", "f32", false, simdrop::bench::bench_identity_mse},
                          {"sgd", "f32", false, simdrop::bench::sgd},
                          {"sgd_max_norm", "f32", false, simdrop::bench::sgd_max_norm<false>},
                          {"sgd_max_norm_hit", "f32", false, simdrop::bench::sgd_max_norm<true>},
                          {"adam", "f32", false, simdrop::bench::adam},
                          {"adam_max_norm", "f32", false, simdrop::bench::adam_max_norm}};
  for (const auto& more : {elementwise<float>(), elementwise<double>(),
                           elementwise<simdrop::bfloat16>(), elementwise<simdrop::float16>()}) {
    all.insert(all.end(), more.begin(), more.end());
  }
  return all;
}

// 2 k operations for each element of a packed block that stays in the caches.
// The products on operands that are packed and in L1 or L2: what a micro-kernel can do.
void bench_forward_product(benchmark::State& state, const KernelTable& table) {
  const auto& kernels = table.products_f32;
  const std::size_t batch = std::size_t{4} * kernels.nr;
  constexpr std::size_t outs = 96;
  constexpr std::size_t k = 256;
  const Buffer<float> x(batch * k, 0);
  const Buffer<float> w(outs * k, 5);
  const Buffer<float> y(batch * outs, 11);
  const Buffer<float> scratch(kernels.scratch_size(batch, k, batch), 0);
  simdrop::detail::ForwardProduct<float> product{};
  product.batch = batch;
  product.outs = outs;
  product.k = k;
  product.x = x.data();
  product.w = w.data();
  product.ld_w = k;
  product.y = y.data();
  product.ld_y = outs;
  product.scratch = scratch.data();
  for (auto _ : state) {
    kernels.forward(product);
    benchmark::ClobberMemory();
  }
  state.counters["flop/s"] = benchmark::Counter(static_cast<double>(2 * batch * outs * k),
                                                benchmark::Counter::kIsIterationInvariantRate);
  state.SetItemsProcessed(static_cast<std::int64_t>(batch * outs) * state.iterations());
}

std::string bench_name(const Kernel& kernel, const char* isa, std::size_t n) {
  return std::string(kernel.name) + "/" + kernel.dtype + "/" + isa + "/" + std::to_string(n);
}

void register_kernel(const Kernel& kernel, const KernelTable& table, std::size_t n) {
  const std::string name = bench_name(kernel, table.name, n);
  const auto add = [&](const std::string& full_name, double keep_prob) {
    benchmark::RegisterBenchmark(full_name.c_str(), [=, &table](benchmark::State& state) {
      kernel.body(state, table, n, keep_prob);
    });
  };
  if (!kernel.random) {
    add(name, 1.0);
    return;
  }
  for (const double keep_prob : keep_probs) {
    std::array<char, 16> text{};
    std::snprintf(text.data(), text.size(), "/%g", keep_prob);
    add(name + text.data(), keep_prob);
  }
}

template <class T>
void register_memcpy(std::size_t n) {
  const std::string name = std::string("memcpy/") + Dtype<T>::name + "/libc/" + std::to_string(n);
  benchmark::RegisterBenchmark(name.c_str(),
                               [n](benchmark::State& state) { bench_memcpy<T>(state, n); });
}

void register_all() {
  for (const std::size_t n : sizes) {
    register_memcpy<float>(n);
    register_memcpy<double>(n);
    register_memcpy<simdrop::bfloat16>(n);
    register_memcpy<simdrop::float16>(n);
    for (const simdrop::IsaInfo& info : simdrop::isa_list()) {
      const KernelTable* table = simdrop::detail::kernel_table(info.isa);
      if (table == nullptr) continue;
      for (const Kernel& kernel : all_kernels()) register_kernel(kernel, *table, n);
    }
  }
  for (const simdrop::IsaInfo& info : simdrop::isa_list()) {
    const KernelTable* table = simdrop::detail::kernel_table(info.isa);
    if (table == nullptr) continue;
    benchmark::RegisterBenchmark(
        ("forward_product/f32/" + std::string(info.name) + "/256").c_str(),
        [table](benchmark::State& state) { bench_forward_product(state, *table); });
  }
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::AddCustomContext("cpu", simdrop::cpu_name());
  register_all();
  simdrop::bench::RatioReporter reporter;
  benchmark::RunSpecifiedBenchmarks(&reporter);
  benchmark::Shutdown();
  return 0;
}
