// Arrays for benchmarks: filled, and placed where none disturbs another.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>

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

// n values in [-1, 1). The array starts at an odd multiple of a cache line from a page, another one
// for each index below 32: arrays that start at equal page offsets would make stores alias the
// loads of the next line.
template <class T>
class Buffer {
 public:
  Buffer(std::size_t n, std::size_t index)
      : memory_(new (std::align_val_t{page}) std::byte[n * sizeof(T) + page]),
        data_(reinterpret_cast<T*>(memory_.get() + line * (2 * index + 1))) {
    for (std::size_t i = 0; i < n; ++i) {
      set_element(data_[i], static_cast<float>((i * 2654435761U) >> 7 & 1023U) / 512.0F - 1.0F);
    }
  }
  [[nodiscard]] T* data() const { return data_; }

 private:
  static constexpr std::size_t page = 4096;
  static constexpr std::size_t line = 64;
  struct Delete {
    void operator()(std::byte* p) const { ::operator delete[](p, std::align_val_t{page}); }
  };
  std::unique_ptr<std::byte[], Delete> memory_;
  T* data_;
};

}  // namespace simdrop::bench
