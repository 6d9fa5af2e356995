// Arrays and the timing loop of kernel_bench.
#pragma once

#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <vector>

#include "simdrop/float16.hpp"

namespace simdrop::bench {

inline void set_element(float& out, float value) {
  out = value;
}
inline void set_element(double& out, float value) {
  out = static_cast<double>(value);
}
// Some normal number of either sign and about the size of `value`: 1 is 0x3F80, or 0x3C00.
inline void set_element(bfloat16& out, float value) {
  out.bits = static_cast<std::uint16_t>((value < 0 ? 0xBF80 : 0x3F80) - 1);
}
inline void set_element(float16& out, float value) {
  out.bits = static_cast<std::uint16_t>((value < 0 ? 0xBC00 : 0x3C00) - 1);
}

// An array at an odd multiple of a cache line from the page, another one for each index: arrays
// that start at equal page offsets would make stores alias the loads of the next line.
template <class T>
class Buffer {
 public:
  Buffer(std::size_t n, std::size_t index)
      : memory_(new (std::align_val_t{4096}) std::byte[n * sizeof(T) + 4096]),
        data_(reinterpret_cast<T*>(memory_.get() + 64 * (2 * index + 1))) {
    for (std::size_t i = 0; i < n; ++i) {
      set_element(data_[i], static_cast<float>((i * 2654435761U) >> 7 & 1023U) / 512.0F - 1.0F);
    }
  }
  [[nodiscard]] T* data() const { return data_; }

 private:
  struct Delete {
    void operator()(std::byte* p) const { ::operator delete[](p, std::align_val_t{4096}); }
  };
  std::unique_ptr<std::byte[], Delete> memory_;
  T* data_;
};

template <class T>
struct Arrays {
  explicit Arrays(std::size_t n) : x(n, 0), y(n, 5), z(n, 11), bits(n / 8 + 1, 0xA5) {}
  Buffer<T> x, y, z;
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

}  // namespace simdrop::bench
