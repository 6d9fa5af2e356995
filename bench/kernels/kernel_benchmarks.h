// What the benchmarks of all kernels share. A kernel `name` has one function, bench_name(), in the
// file of its operation: it registers what is measured of it, for one table and for every element
// type that the kernel has.
#pragma once

#include <benchmark/benchmark.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "harness/buffer.h"
#include "kernels/kernel_table.h"

namespace simdrop::bench {

// A kernel of the list without its function does not link.
#define SIMDROP_KERNEL(operation, kernel, ...) \
  void bench_##kernel(const detail::KernelTable& table);
#include "kernels/kernel_list.inc"
#undef SIMDROP_KERNEL

// memcpy, and y = x * scale on each table's vectors: what a kernel is compared with.
void bench_memcpy();
void bench_scale(Isa isa, const char* isa_name);

inline constexpr std::array<std::size_t, 4> sizes{1024, 65536, 1048576, 67108864};
inline constexpr std::array<double, 8> keep_probs{.999, .9, .8, .75, .7, .5, .25, .1};
inline constexpr std::size_t layer_width = 1024;  // of kernels that see a batch of rows

// Its name, its elementwise kernels, and what they calculate in.
template <class T>
struct ElementType;
template <>
struct ElementType<float> {
  using Arithmetic = float;
  static constexpr const char* name = "f32";
  static const auto& kernels(const detail::KernelTable& table) { return table.f32; }
};
template <>
struct ElementType<double> {
  using Arithmetic = double;
  static constexpr const char* name = "f64";
  static const auto& kernels(const detail::KernelTable& table) { return table.f64; }
};
template <>
struct ElementType<bfloat16> {
  using Arithmetic = float;
  static constexpr const char* name = "bf16";
  static const auto& kernels(const detail::KernelTable& table) { return table.bf16; }
};
template <>
struct ElementType<float16> {
  using Arithmetic = float;
  static constexpr const char* name = "f16";
  static const auto& kernels(const detail::KernelTable& table) { return table.f16; }
};

// fn.template operator()<T>() for each.
template <class... T, class Fn>
void for_types(Fn fn) {
  (fn.template operator()<T>(), ...);
}
template <class Fn>
void for_element_types(Fn fn) {
  for_types<float, double, bfloat16, float16>(fn);
}

struct BenchName {
  const char* kernel;
  const char* dtype;
  const char* isa;
};

// Registers kernel/dtype/isa/elements for every size, or for those up to `largest`.
void at_sizes(const BenchName& name, std::function<void(benchmark::State&, std::size_t n)> body,
              std::size_t largest = sizes.back());
// Registers kernel/dtype/isa/elements/keep_prob.
void at_keep_probs(
    const BenchName& name,
    const std::function<void(benchmark::State&, std::size_t n, double keep_prob)>& body,
    std::size_t largest = sizes.back());

// Bits drawn anew.
detail::MaskSource mask_source(double keep_prob);

template <class T>
struct Arrays {
  explicit Arrays(std::size_t n) : x(n, 0), y(n, 5), z(n, 11), bits(n / 8 + 1, 0xA5) {}
  Buffer<T> x, y, z;
  std::vector<std::uint8_t> bits;
};

// Counts one call's traffic and elements; the mask stream moves on with every call.
template <class Call>
void run_calls(benchmark::State& state, std::size_t n, std::size_t bytes_per_element, Call call) {
  std::uint64_t first = 0;
  for (auto _ : state) {
    call(first);
    first += n;
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(n) * state.iterations());
  state.SetBytesProcessed(static_cast<std::int64_t>(n * bytes_per_element) * state.iterations());
}

}  // namespace simdrop::bench
