// The instruction set that a file is compiled for, and its vectors. cmake/isa.cmake defines
// SIMDROP_ISA_<NAME> and gives the flags; without it all is scalar, a vector of one element.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/compiler_modes.h"

#if defined(SIMDROP_ISA_AVX512)
#define SIMDROP_ISA avx512
#elif defined(SIMDROP_ISA_AVX2)
#define SIMDROP_ISA avx2
#elif defined(SIMDROP_ISA_NEON)
#define SIMDROP_ISA neon
#else
#define SIMDROP_ISA scalar
#define SIMDROP_ISA_SCALAR
#endif

#if !defined(SIMDROP_ISA_SCALAR)
#include <xsimd/xsimd.hpp>
#endif

namespace simdrop::detail {
namespace {

#if defined(SIMDROP_ISA_SCALAR)
using VecF = float;
using VecD = double;

constexpr std::size_t lanes_f32 = 1;
constexpr std::size_t lanes_f64 = 1;
#else
#if defined(SIMDROP_ISA_AVX512)
using Arch = xsimd::avx512bw;
#elif defined(SIMDROP_ISA_AVX2)
using Arch = xsimd::fma3<xsimd::avx2>;
#else
using Arch = xsimd::neon64;
#endif

// A vector of floats; the others are as wide.
using VecF = xsimd::batch<float, Arch>;
using VecD = xsimd::batch<double, Arch>;
using VecU32 = xsimd::batch<std::uint32_t, Arch>;
using VecU64 = xsimd::batch<std::uint64_t, Arch>;

// lanes_f32 elements of 16 bits, and four floats.
#if defined(SIMDROP_ISA_AVX512)
using VecU16 = __m256i;
using Quad = __m128;
#elif defined(SIMDROP_ISA_AVX2)
using VecU16 = __m128i;
using Quad = __m128;
#else
using VecU16 = uint16x4_t;
using Quad = float32x4_t;
#endif

constexpr std::size_t lanes_f32 = VecF::size;
constexpr std::size_t lanes_f64 = VecD::size;
constexpr std::size_t lanes_u64 = VecU64::size;
#endif

// What an element in memory is in arithmetic, and how many of them a vector takes.
template <class T>
struct Lanes {
  using Vec = VecF;
  static constexpr std::size_t count = lanes_f32;
};
template <>
struct Lanes<double> {
  using Vec = VecD;
  static constexpr std::size_t count = lanes_f64;
};
template <class T>
using VecOf = typename Lanes<T>::Vec;
template <class T>
constexpr std::size_t lanes_of = Lanes<T>::count;

}  // namespace
}  // namespace simdrop::detail
