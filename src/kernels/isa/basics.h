// What kernels use in place of templates of std, whose weak symbols the linker could share between
// instruction sets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace simdrop::detail {
namespace {

inline std::size_t smaller(std::size_t a, std::size_t b) {
  return a < b ? a : b;
}

inline std::int32_t load_i32(const std::uint8_t* p) {
  std::int32_t bits;
  std::memcpy(&bits, p, sizeof bits);
  return bits;
}

// Calls fn.template operator()<K>() for K = 0 ... Count - 1.
template <int Count, int K = 0, class Fn>
inline void unrolled(Fn&& fn) {
  if constexpr (K < Count) {
    fn.template operator()<K>();
    unrolled<Count, K + 1>(fn);
  }
}

}  // namespace
}  // namespace simdrop::detail
