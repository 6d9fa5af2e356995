// Tests of the operations on elements of 16 bits; the scalar kernels' conversions (element.h) say
// what is right.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/isa/element.h"
#include "kernels/isa/isa.h"
#include "rows.h"
#include "simdrop/float16.hpp"

namespace simdrop::detail {
namespace {

inline const char* test_as_f32() {
  Random random;
  for (int i = 0; i < many; ++i) {
    const auto v = any<RowU32>(random);
    RowF want;
    copy_bits(want, v);
    SIMDROP_EXPECT(same(row(as_f32(vec(v))), want));
  }
  return nullptr;
}

inline const char* test_as_u32() {
  Random random;
  for (int i = 0; i < many; ++i) {
    const auto v = any<RowF>(random);
    RowU32 want;
    copy_bits(want, v);
    SIMDROP_EXPECT(same(row(as_u32(vec(v))), want));
  }
  return nullptr;
}

// Rows are of std::uint16_t, of which a vector is too: bfloat16 and float16 have constructors,
// which without optimisation are functions of their own.
template <class T>
const T* elements(const RowU16& bits) {
  return reinterpret_cast<const T*>(bits.lane);
}

// A row of the 65,536 patterns.
inline RowU16 bits_from(std::size_t first) {
  RowU16 bits;
  for (std::size_t i = 0; i < lanes_f32; ++i) bits.lane[i] = static_cast<std::uint16_t>(first + i);
  return bits;
}

inline const char* test_widen_u16() {
  for (std::size_t first = 0; first < 65536; first += lanes_f32) {
    const RowU16 from = bits_from(first);
    RowU32 want;
    for (std::size_t i = 0; i < lanes_f32; ++i) want.lane[i] = from.lane[i];
    SIMDROP_EXPECT(same(row(widen_u16(elements<bfloat16>(from))), want));
  }
  return nullptr;
}

template <class T>
const char* test_load_16() {
  for (std::size_t first = 0; first < 65536; first += lanes_f32) {
    const RowU16 from = bits_from(first);
    RowF want;
    for (std::size_t i = 0; i < lanes_f32; ++i) want.lane[i] = to_arithmetic(T{from.lane[i]});
    SIMDROP_EXPECT(same(row(load(elements<T>(from))), want));
  }
  return nullptr;
}

// Calls test(v) with rows of floats that are near every number of the format, or next to the middle
// of two, until one fails.
template <class T, class Test>
const char* for_floats_near_all(Test test) {
  constexpr std::uint32_t steps[] = {0, 1, 0x0FFF, 0x1000, 0x1001, 0x7FFF, 0x8000, 0x8001, 0xFFFF};
  for (const std::uint32_t step : steps) {
    for (std::size_t first = 0; first < 65536; first += lanes_f32) {
      const RowU16 from = bits_from(first);
      RowF v;
      for (std::size_t i = 0; i < lanes_f32; ++i) {
        const float exact = to_arithmetic(T{from.lane[i]});
        const float near = bits_float(float_bits(exact) + step);
        // A NaN's last 16 bits are zeros, as vector.h asks for.
        v.lane[i] = near == near ? near : exact;
      }
      const char* failure = test(v);
      if (failure != nullptr) return failure;
    }
  }
  return nullptr;
}

// A NaN that is not quiet stays as it is in bfloat16, which shortens it alone.
inline std::uint16_t shortened(float x, bfloat16 out) {
  from_arithmetic(x, out);
  return x == x ? out.bits : static_cast<std::uint16_t>(float_bits(x) >> 16);
}
inline std::uint16_t shortened(float x, float16 out) {
  from_arithmetic(x, out);
  return out.bits;
}
template <class T>
RowU16 shortened(const RowF& v) {
  RowU16 bits;
  for (std::size_t i = 0; i < lanes_f32; ++i) bits.lane[i] = shortened(v.lane[i], T{0});
  return bits;
}

inline const char* test_f16_bits_of(const RowF& v) {
  SIMDROP_EXPECT(same(row(f16_bits(vec(v))), shortened<float16>(v)));
  return nullptr;
}
inline const char* test_f16_bits() {
  Random random;  // numbers that float16 has not, and NaNs of all sorts
  for (int i = 0; i < 10 * many; ++i) {
    const char* failure = test_f16_bits_of(any<RowF>(random));
    if (failure != nullptr) return failure;
  }
  return for_floats_near_all<float16>(test_f16_bits_of);
}

inline const char* test_bf16_bits() {
  return for_floats_near_all<bfloat16>([](const RowF& v) -> const char* {
    const RowU16 bits = shortened<bfloat16>(v);
    RowU32 want;
    for (std::size_t i = 0; i < lanes_f32; ++i) want.lane[i] = bits.lane[i];
    SIMDROP_EXPECT(same(row(bf16_bits(vec(v))), want));
    return nullptr;
  });
}

inline const char* test_narrow_u16() {
  Random random;
  for (int i = 0; i < many; ++i) {
    const auto want = any<RowU16>(random);
    RowU32 v;
    for (std::size_t lane = 0; lane < lanes_f32; ++lane) v.lane[lane] = want.lane[lane];
    SIMDROP_EXPECT(same(row(narrow_u16(vec(v))), want));
  }
  return nullptr;
}

// write(p) writes these elements to p, where a vector of them is aligned, and nothing else.
template <class T, class Write>
const char* test_write_16(const RowU16& bits, Write write) {
  Random random{bits.lane[0]};
  alignas(64) auto memory = any<Row<std::uint16_t, 3 * lanes_f32>>(random);
  auto want = memory;
  copy(want.lane + lanes_f32, bits.lane, lanes_f32);
  write(reinterpret_cast<T*>(memory.lane + lanes_f32));
  stream_fence();
  SIMDROP_EXPECT(same(memory, want));
  return nullptr;
}

template <class T>
const char* test_store_16() {
  return for_floats_near_all<T>([](const RowF& v) {
    return test_write_16<T>(shortened<T>(v), [&v](T* p) { store(p, vec(v)); });
  });
}
template <class T>
const char* test_stream_16() {
  return for_floats_near_all<T>([](const RowF& v) {
    return test_write_16<T>(shortened<T>(v), [&v](T* p) { stream(p, vec(v)); });
  });
}

template <class T>
const char* test_store_u16() {
  Random random;
  for (int i = 0; i < many; ++i) {
    const auto v = any<RowU16>(random);
    const char* failure = test_write_16<T>(v, [&v](T* p) { store_u16(p, vec(v)); });
    if (failure != nullptr) return failure;
  }
  return nullptr;
}
template <class T>
const char* test_stream_u16() {
  Random random;
  for (int i = 0; i < many; ++i) {
    const auto v = any<RowU16>(random);
    const char* failure = test_write_16<T>(v, [&v](T* p) { stream_u16(p, vec(v)); });
    if (failure != nullptr) return failure;
  }
  return nullptr;
}

}  // namespace
}  // namespace simdrop::detail
