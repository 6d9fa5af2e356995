// Every kernel on every table of this CPU, beside memcpy and a plain multiply of as many elements.
// Names: kernel/dtype/isa/elements[/keep_prob]. Use --benchmark_repetitions and
// --benchmark_enable_random_interleaving=true for paired medians.
#include <benchmark/benchmark.h>

#include <array>
#include <cstdio>
#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "dispatch.h"
#include "mask_source.h"
#include "ratio_reporter.h"
#include "simdrop/isa.hpp"

namespace {

using simdrop::detail::KernelTable;
using simdrop::detail::MaskSource;
using simdrop::detail::Shape2D;

constexpr std::array<std::size_t, 4> sizes{1024, 65536, 1048576, 67108864};
constexpr std::array<double, 8> keep_probs{.999, .9, .8, .75, .7, .5, .25, .1};
constexpr std::size_t layer_width = 1024;  // bias kernels see a batch of rows this wide

// An array at an odd multiple of a cache line from the page, another one for each index: arrays
// that start at equal page offsets would make stores alias the loads of the next line.
class Buffer {
 public:
  Buffer(std::size_t floats, std::size_t index)
      : memory_(new (std::align_val_t{4096}) std::byte[floats * 4 + 4096]),
        data_(reinterpret_cast<float*>(memory_.get() + 64 * (2 * index + 1))) {
    for (std::size_t i = 0; i < floats; ++i) {
      data_[i] = static_cast<float>((i * 2654435761U) >> 7 & 1023U) / 512.0F - 1.0F;
    }
  }
  [[nodiscard]] float* data() const { return data_; }

 private:
  struct Delete {
    void operator()(std::byte* p) const { ::operator delete[](p, std::align_val_t{4096}); }
  };
  std::unique_ptr<std::byte[], Delete> memory_;
  float* data_;
};

struct Arrays {
  explicit Arrays(std::size_t n) : x(n, 0), y(n, 5), z(n, 11), bits(n / 8 + 1, 0xA5) {}
  Buffer x, y, z;
  std::vector<std::uint8_t> bits;
};

// Counts one call's traffic and elements; the mask stream moves on with every call.
template <class Call>
void measure(benchmark::State& state, std::size_t n, std::size_t bytes_per_element, Call call) {
  std::uint64_t first = 0;
  for (auto _ : state) {
    call(first);
    first += n;
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(n) * state.iterations());
  state.SetBytesProcessed(static_cast<std::int64_t>(n * bytes_per_element) * state.iterations());
}

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

void bench_memcpy(benchmark::State& state, std::size_t n) {
  const Arrays a(n);
  measure(state, n, 8, [&](std::uint64_t) { std::memcpy(a.y.data(), a.x.data(), n * 4); });
}

void bench_scale(benchmark::State& state, const KernelTable& table, std::size_t n, double) {
  const Arrays a(n);
  measure(state, n, 8, [&](std::uint64_t) { table.f32.scale(1.25F, a.x.data(), a.y.data(), n); });
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

template <bool StoreMask>
void bench_dropout(benchmark::State& state, const KernelTable& table, std::size_t n,
                   double keep_prob) {
  Arrays a(n);
  MaskSource source = source_of(keep_prob);
  const float scale = simdrop::detail::dropout_scale(keep_prob);
  measure(state, n, 8, [&](std::uint64_t first) {
    source.first = first;
    table.f32.dropout(source, scale, Shape2D{1, n, n, n}, a.x.data(), a.y.data(),
                      StoreMask ? a.bits.data() : nullptr);
  });
}

void bench_dropout_backward_bits(benchmark::State& state, const KernelTable& table, std::size_t n,
                                 double) {
  const Arrays a(n);
  MaskSource source = source_of(.5);
  source.bits_in = a.bits.data();
  measure(state, n, 8, [&](std::uint64_t) {
    table.f32.dropout(source, 2.0F, Shape2D{1, n, n, n}, a.x.data(), a.y.data(), nullptr);
  });
}

void bench_bias_relu_dropout(benchmark::State& state, const KernelTable& table, std::size_t n,
                             double keep_prob) {
  const Arrays a(n);
  const Buffer bias(layer_width, 17);
  MaskSource source = source_of(keep_prob);
  const float scale = simdrop::detail::dropout_scale(keep_prob);
  const Shape2D shape{n / layer_width, layer_width, layer_width, layer_width};
  measure(state, n, 8, [&](std::uint64_t first) {
    source.first = first;
    table.f32.bias_relu_dropout(source, scale, shape, a.x.data(), bias.data(), a.y.data(), nullptr);
  });
}

void bench_relu_dropout_backward(benchmark::State& state, const KernelTable& table, std::size_t n,
                                 double) {
  const Arrays a(n);
  measure(state, n, 12, [&](std::uint64_t) {
    table.f32.relu_dropout_backward(2.0F, Shape2D{1, n, n, n}, a.x.data(), a.z.data(), n,
                                    a.y.data());
  });
}

void bench_add_bias(benchmark::State& state, const KernelTable& table, std::size_t n, double) {
  const Arrays a(n);
  const Buffer bias(layer_width, 17);
  std::memset(bias.data(), 0, layer_width * sizeof(float));  // values must not grow
  measure(state, n, 8, [&](std::uint64_t) {
    table.add_bias_f32(n / layer_width, layer_width, bias.data(), a.x.data(), layer_width);
  });
}

void bench_column_sum(benchmark::State& state, const KernelTable& table, std::size_t n, double) {
  const Arrays a(n);
  const Buffer sums(layer_width, 17);
  measure(state, n, 4, [&](std::uint64_t) {
    table.column_sum_f32(n / layer_width, layer_width, a.x.data(), layer_width, 1.0F, sums.data());
  });
}

void bench_sgd(benchmark::State& state, const KernelTable& table, std::size_t n, double) {
  const Arrays a(n);
  const simdrop::detail::SgdParams params{1e-6F, .9F, 0.0F, false};
  measure(state, n, 20,
          [&](std::uint64_t) { table.sgd_f32(params, n, a.x.data(), a.y.data(), a.z.data()); });
}

void bench_adam(benchmark::State& state, const KernelTable& table, std::size_t n, double) {
  const Arrays a(n);
  const Buffer second(n, 17);
  std::memset(second.data(), 0, n * sizeof(float));
  const simdrop::detail::AdamParams params{.9F, .999F, 1e-8F, 0.0F, 1.0F, 1e-6F, 1.0F};
  measure(state, n, 28, [&](std::uint64_t) {
    table.adam_f32(params, n, a.x.data(), a.y.data(), a.z.data(), second.data());
  });
}

constexpr std::array<Kernel, 12> kernels{{
    {"scale", "f32", false, bench_scale},
    {"philox_fill", "u32", false, bench_philox_fill},
    {"bernoulli_mask", "bit", true, bench_bernoulli_mask},
    {"dropout_forward", "f32", true, bench_dropout<false>},
    {"dropout_forward_mask", "f32", true, bench_dropout<true>},
    {"dropout_backward", "f32", false, bench_dropout_backward_bits},
    {"bias_relu_dropout_forward", "f32", true, bench_bias_relu_dropout},
    {"relu_dropout_backward", "f32", false, bench_relu_dropout_backward},
    {"add_bias", "f32", false, bench_add_bias},
    {"column_sum", "f32", false, bench_column_sum},
    {"sgd", "f32", false, bench_sgd},
    {"adam", "f32", false, bench_adam},
}};

// 2 k operations for each element of a packed block that stays in the caches.
void bench_gemm(benchmark::State& state, const KernelTable& table) {
  const std::size_t m = table.gemm_mr * 8;
  const std::size_t n = table.gemm_nr * 4;
  constexpr std::size_t k = 256;
  const Buffer a(m * k, 0);
  const Buffer b(n * k, 5);
  const Buffer c(m * n, 11);
  for (auto _ : state) {
    table.gemm_block_f32(m, n, k, 1.0F, a.data(), table.gemm_mr * k, b.data(), table.gemm_nr * k,
                         c.data(), n, false);
    benchmark::ClobberMemory();
  }
  state.counters["flop/s"] = benchmark::Counter(static_cast<double>(2 * m * n * k),
                                                benchmark::Counter::kIsIterationInvariantRate);
  state.SetItemsProcessed(static_cast<std::int64_t>(m * n) * state.iterations());
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

void register_all() {
  for (const std::size_t n : sizes) {
    benchmark::RegisterBenchmark(("memcpy/f32/libc/" + std::to_string(n)).c_str(),
                                 [n](benchmark::State& state) { bench_memcpy(state, n); });
    for (const simdrop::IsaInfo& info : simdrop::isa_list()) {
      const KernelTable* table = simdrop::detail::kernel_table(info.isa);
      if (table == nullptr) continue;
      for (const Kernel& kernel : kernels) register_kernel(kernel, *table, n);
    }
  }
  for (const simdrop::IsaInfo& info : simdrop::isa_list()) {
    const KernelTable* table = simdrop::detail::kernel_table(info.isa);
    if (table == nullptr) continue;
    const std::size_t elements = std::size_t{32} * table->gemm_mr * table->gemm_nr;
    benchmark::RegisterBenchmark(
        ("gemm/f32/" + std::string(info.name) + "/" + std::to_string(elements)).c_str(),
        [table](benchmark::State& state) { bench_gemm(state, *table); });
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
