// What kernels are compared with.
#include <cstring>

#include "kernel_benchmarks.h"
#include "probes/multiply.h"

namespace simdrop::bench {
namespace {

template <class T, class Multiply>
void register_scale(const char* isa_name, Multiply multiply) {
  at_sizes({"scale", ElementType<T>::name, isa_name},
           [multiply](benchmark::State& state, std::size_t n) {
             const Arrays<T> a(n);
             run_calls(state, n, 2 * sizeof(T),
                       [&](std::uint64_t) { multiply(T{1.25}, a.x.data(), a.y.data(), n); });
           });
}

}  // namespace

void bench_memcpy() {
  for_element_types([]<class T>() {
    at_sizes({"memcpy", ElementType<T>::name, "libc"}, [](benchmark::State& state, std::size_t n) {
      const Arrays<T> a(n);
      run_calls(state, n, 2 * sizeof(T),
                [&](std::uint64_t) { std::memcpy(a.y.data(), a.x.data(), n * sizeof(T)); });
    });
  });
}

void bench_scale(Isa isa, const char* isa_name) {
  const MultiplyLoops loops = multiply_loops(isa);
  register_scale<float>(isa_name, loops.f32);
  register_scale<double>(isa_name, loops.f64);
}

}  // namespace simdrop::bench
