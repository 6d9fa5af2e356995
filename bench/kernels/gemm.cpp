// The products of a linear layer on operands that are packed and in L1 or L2, which shows what the
// micro-kernels can do; packing; and what neuron dropout and small batches use instead.
#include <algorithm>

#include "kernel_benchmarks.h"

namespace simdrop::bench {
namespace {

using detail::KernelTable;

constexpr std::size_t outs = 96;
constexpr std::size_t k = 256;  // terms of a sum

template <class T>
const detail::ProductKernels<T>& products(const KernelTable& table) {
  if constexpr (sizeof(T) == sizeof(float)) {
    return table.products_f32;
  } else {
    return table.products_f64;
  }
}

// Registers name/dtype/isa/k. Run gets the state and the table, and the element type.
template <class Run>
void at_k(const char* name, const KernelTable& table, Run run) {
  for_types<float, double>([&]<class T>() {
    const std::string full =
        std::string(name) + "/" + ElementType<T>::name + "/" + table.name + "/" + std::to_string(k);
    benchmark::RegisterBenchmark(full.c_str(), [&table, run](benchmark::State& state) {
      run.template operator()<T>(state, products<T>(table));
    });
  });
}

// Calls of a product with so many results, of k terms each.
template <class Call>
void run_product(benchmark::State& state, std::size_t results, Call call) {
  for (auto _ : state) {
    call();
    benchmark::ClobberMemory();
  }
  state.counters["flop/s"] = benchmark::Counter(static_cast<double>(2 * results * k),
                                                benchmark::Counter::kIsIterationInvariantRate);
  state.SetItemsProcessed(static_cast<std::int64_t>(results) * state.iterations());
}

template <class T>
void run_forward(benchmark::State& state, const detail::ProductKernels<T>& kernels) {
  const std::size_t batch = std::size_t{4} * kernels.nr;
  const Buffer<T> x(batch * k, 0), w(outs * k, 5), y(batch * outs, 11);
  const Buffer<T> scratch(kernels.scratch_size(batch, k, batch), 0);
  detail::ForwardPart<T> part{};
  part.batch = batch;
  part.outs = outs;
  part.ins = k;
  part.x = x.data();
  part.weights = {w.data(), k};
  part.y = {y.data(), outs};
  part.scratch = scratch.data();
  run_product(state, batch * outs, [&] { kernels.forward(part); });
}

template <class T>
void run_backward_input(benchmark::State& state, const detail::ProductKernels<T>& kernels) {
  constexpr std::size_t batch = outs;
  const std::size_t ins = std::size_t{4} * kernels.nr;
  const Buffer<T> dy(batch * k, 0), w(k * ins, 5), dx(batch * ins, 11);
  const Buffer<T> scratch(kernels.scratch_size(batch, k, batch), 0);
  detail::BackwardInputPart<T> part{};
  part.batch = batch;
  part.outs = k;
  part.ins = ins;
  part.dy.data = dy.data();
  part.weights = {w.data(), ins};
  part.dx = {dx.data(), ins};
  part.scratch = scratch.data();
  run_product(state, batch * ins, [&] { kernels.backward_input(part); });
}

template <class T>
void run_backward_weights(benchmark::State& state, const detail::ProductKernels<T>& kernels) {
  constexpr std::size_t batch = k;
  const std::size_t ins = std::size_t{4} * kernels.nr;
  const Buffer<T> dy(batch * outs, 0), x(batch * ins, 5), dw(outs * ins, 11);
  const Buffer<T> scratch(kernels.scratch_size(batch, ins, batch), 0);
  detail::BackwardWeightsPart<T> part{};
  part.batch = batch;
  part.outs = outs;
  part.ins = ins;
  part.dy = {dy.data(), outs};
  part.x.data = x.data();
  part.use.alpha = T{1};
  part.use.update = detail::Update::store;
  part.use.dw = {dw.data(), nullptr, nullptr, ins};
  part.scratch = scratch.data();
  run_product(state, outs * ins, [&] { kernels.backward_weights(part); });
}

// Packs rows of k elements, or columns, one panel after another.
template <class T, bool Columns>
void run_pack(benchmark::State& state, const detail::ProductKernels<T>& kernels, std::size_t n) {
  const std::size_t rows = n / k;
  const std::size_t width = kernels.nr;
  const Buffer<T> source(n, 0), panels((rows + width) * k, 5);
  run_calls(state, n, 2 * sizeof(T), [&](std::uint64_t) {
    for (std::size_t r = 0; r < rows; r += width) {
      const std::size_t height = std::min(width, rows - r);
      T* panel = panels.data() + r * k;
      if constexpr (Columns) {
        kernels.pack_cols(height, k, source.data() + r, rows, width, panel);
      } else {
        kernels.pack_rows(height, k, source.data() + r * k, k, width, panel);
      }
    }
  });
}

constexpr std::size_t largest_packed = 1048576;

template <bool Columns>
void register_pack(const char* name, const KernelTable& table) {
  for_types<float, double>([&]<class T>() {
    at_sizes(
        {name, ElementType<T>::name, table.name},
        [&table](benchmark::State& state, std::size_t n) {
          run_pack<T, Columns>(state, products<T>(table), n);
        },
        largest_packed);
  });
}

// n weights, a few examples.
void run_few_rows(benchmark::State& state, const KernelTable& table, std::size_t n,
                  std::size_t rows) {
  const std::size_t outputs = n / layer_width;
  const Buffer<float> x(rows * layer_width, 0), w(n, 5), y(rows * outputs, 11);
  run_calls(state, n, sizeof(float), [&](std::uint64_t) {
    table.few_rows_f32(rows, outputs, layer_width, x.data(), layer_width, w.data(), layer_width,
                       nullptr, true, y.data(), outputs);
  });
}

void run_compress_rows(benchmark::State& state, const KernelTable& table, std::size_t n,
                       double keep_prob) {
  std::vector<std::uint8_t> bits(layer_width / 8 + detail::mask_slack);
  table.bernoulli_mask(mask_source(keep_prob), layer_width, bits.data());
  std::vector<std::uint32_t> index;
  for (std::uint32_t unit = 0; unit < layer_width; ++unit) {
    if ((bits[unit / 8] >> unit % 8 & 1U) != 0) index.push_back(unit);
  }
  const detail::KeptUnits kept{index.size(), layer_width, index.data(), bits.data()};
  const std::size_t rows = n / layer_width;
  const std::size_t ld = detail::kept_ld(kept.count);
  const Buffer<float> x(n, 0), y(rows * ld, 5);
  run_calls(state, n, 2 * sizeof(float), [&](std::uint64_t) {
    table.compress_rows_f32(rows, kept, 2.0F, x.data(), layer_width, y.data(), ld);
  });
}

}  // namespace

void bench_linear_forward(const KernelTable& table) {
  at_k("forward_product", table,
       []<class T>(auto& state, auto& kernels) { run_forward<T>(state, kernels); });
}

void bench_linear_backward_input(const KernelTable& table) {
  at_k("backward_input_product", table,
       []<class T>(auto& state, auto& kernels) { run_backward_input<T>(state, kernels); });
}

void bench_linear_backward_weights(const KernelTable& table) {
  at_k("backward_weights_product", table,
       []<class T>(auto& state, auto& kernels) { run_backward_weights<T>(state, kernels); });
}

void bench_pack_rows(const KernelTable& table) {
  register_pack<false>("pack_rows", table);
}

void bench_pack_cols(const KernelTable& table) {
  register_pack<true>("pack_cols", table);
}

void bench_few_rows(const KernelTable& table) {
  at_sizes({"few_rows_1", "f32", table.name},
           [&table](benchmark::State& state, std::size_t n) { run_few_rows(state, table, n, 1); });
  at_sizes({"few_rows_8", "f32", table.name},
           [&table](benchmark::State& state, std::size_t n) { run_few_rows(state, table, n, 8); });
}

void bench_compress_rows(const KernelTable& table) {
  at_keep_probs({"compress_rows", "f32", table.name},
                [&table](benchmark::State& state, std::size_t n, double keep_prob) {
                  run_compress_rows(state, table, n, keep_prob);
                });
}

}  // namespace simdrop::bench
