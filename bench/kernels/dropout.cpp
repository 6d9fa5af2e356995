// The elementwise kernels.
#include "simdrop/dropout.hpp"
#include "kernel_benchmarks.h"

namespace simdrop::bench {
namespace {

using detail::KernelTable;
using detail::MaskSource;
using detail::Shape2D;

// The shape of a call, written around the caches where the API would do so.
template <class T>
Shape2D shape_of(std::size_t rows, std::size_t cols) {
  const bool streaming = rows * cols * sizeof(T) >= streaming_threshold_bytes;
  return {rows, cols, cols, cols, streaming};
}

template <class T>
auto scale_of(double keep_prob) {
  return static_cast<typename ElementType<T>::Arithmetic>(1.0 / keep_prob);
}

template <class T, bool StoreMask>
void run_dropout(benchmark::State& state, const KernelTable& table, std::size_t n,
                 double keep_prob) {
  Arrays<T> a(n);
  MaskSource source = mask_source(keep_prob);
  run_calls(state, n, 2 * sizeof(T), [&](std::uint64_t first) {
    source.first = first;
    ElementType<T>::kernels(table).dropout(source, scale_of<T>(keep_prob), shape_of<T>(1, n),
                                           a.x.data(), a.y.data(),
                                           StoreMask ? a.bits.data() : nullptr);
  });
}

template <class T>
void run_dropout_from_bits(benchmark::State& state, const KernelTable& table, std::size_t n) {
  const Arrays<T> a(n);
  MaskSource source = mask_source(.5);
  source.bits_in = a.bits.data();
  run_calls(state, n, 2 * sizeof(T), [&](std::uint64_t) {
    ElementType<T>::kernels(table).dropout(source, 2.0F, shape_of<T>(1, n), a.x.data(), a.y.data(),
                                           nullptr);
  });
}

template <class T>
void run_residual_dropout(benchmark::State& state, const KernelTable& table, std::size_t n,
                          double keep_prob) {
  const Arrays<T> a(n);
  MaskSource source = mask_source(keep_prob);
  run_calls(state, n, 3 * sizeof(T), [&](std::uint64_t first) {
    source.first = first;
    ElementType<T>::kernels(table).residual_dropout(source, scale_of<T>(keep_prob),
                                                    shape_of<T>(1, n), a.x.data(), a.z.data(), n,
                                                    a.y.data(), nullptr);
  });
}

template <class T>
void run_bias_relu_dropout(benchmark::State& state, const KernelTable& table, std::size_t n,
                           double keep_prob) {
  const Arrays<T> a(n);
  const Buffer<T> bias(layer_width, 17);
  MaskSource source = mask_source(keep_prob);
  run_calls(state, n, 2 * sizeof(T), [&](std::uint64_t first) {
    source.first = first;
    ElementType<T>::kernels(table).bias_relu_dropout(source, scale_of<T>(keep_prob),
                                                     shape_of<T>(n / layer_width, layer_width),
                                                     a.x.data(), bias.data(), a.y.data(), nullptr);
  });
}

template <class T>
void run_relu_dropout_backward(benchmark::State& state, const KernelTable& table, std::size_t n) {
  const Arrays<T> a(n);
  run_calls(state, n, 3 * sizeof(T), [&](std::uint64_t) {
    ElementType<T>::kernels(table).relu_dropout_backward(2.0F, shape_of<T>(1, n), a.x.data(),
                                                         a.z.data(), n, a.y.data());
  });
}

}  // namespace

void bench_dropout(const KernelTable& table) {
  for_element_types([&]<class T>() {
    const char* dtype = ElementType<T>::name;
    at_keep_probs({"dropout_forward", dtype, table.name},
                  [&table](benchmark::State& state, std::size_t n, double keep_prob) {
                    run_dropout<T, false>(state, table, n, keep_prob);
                  });
    at_keep_probs({"dropout_forward_mask", dtype, table.name},
                  [&table](benchmark::State& state, std::size_t n, double keep_prob) {
                    run_dropout<T, true>(state, table, n, keep_prob);
                  });
    at_sizes({"dropout_backward", dtype, table.name},
             [&table](benchmark::State& state, std::size_t n) {
               run_dropout_from_bits<T>(state, table, n);
             });
  });
}

void bench_residual_dropout(const KernelTable& table) {
  for_element_types([&]<class T>() {
    at_keep_probs({"residual_dropout", ElementType<T>::name, table.name},
                  [&table](benchmark::State& state, std::size_t n, double keep_prob) {
                    run_residual_dropout<T>(state, table, n, keep_prob);
                  });
  });
}

void bench_bias_relu_dropout(const KernelTable& table) {
  for_element_types([&]<class T>() {
    at_keep_probs({"bias_relu_dropout_forward", ElementType<T>::name, table.name},
                  [&table](benchmark::State& state, std::size_t n, double keep_prob) {
                    run_bias_relu_dropout<T>(state, table, n, keep_prob);
                  });
  });
}

void bench_relu_dropout_backward(const KernelTable& table) {
  for_element_types([&]<class T>() {
    at_sizes({"relu_dropout_backward", ElementType<T>::name, table.name},
             [&table](benchmark::State& state, std::size_t n) {
               run_relu_dropout_backward<T>(state, table, n);
             });
  });
}

}  // namespace simdrop::bench
