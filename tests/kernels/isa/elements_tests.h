// Tests of the operations on elements of 16 bits; the scalar kernels' conversions (element.h) say
// what is right.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/isa/element.h"
#include "kernels/isa/isa.h"
#include "rows.h"

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

// The lanes_f32 elements from `first` on, in a row of all 65,536.
template <class T>
Row<T, lanes_f32> elements_from(std::size_t first) {
  Row<T, lanes_f32> elements;
  for (std::size_t i = 0; i < lanes_f32; ++i) {
    elements.lane[i].bits = static_cast<std::uint16_t>(first + i);
  }
  return elements;
}

inline const char* test_widen_u16() {
  for (std::size_t first = 0; first < 65536; first += lanes_f32) {
    const auto from = elements_from<bfloat16>(first);
    RowU32 want;
    for (std::size_t i = 0; i < lanes_f32; ++i) want.lane[i] = from.lane[i].bits;
    SIMDROP_EXPECT(same(row(widen_u16(from.lane)), want));
  }
  return nullptr;
}

template <class T>
const char* test_load_16() {
  for (std::size_t first = 0; first < 65536; first += lanes_f32) {
    const auto from = elements_from<T>(first);
    RowF want;
    for (std::size_t i = 0; i < lanes_f32; ++i) want.lane[i] = to_arithmetic(from.lane[i]);
    SIMDROP_EXPECT(same(row(load(from.lane)), want));
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
      const auto from = elements_from<T>(first);
      RowF v;
      for (std::size_t i = 0; i < lanes_f32; ++i) {
        const float exact = to_arithmetic(from.lane[i]);
        // bfloat16's NaNs have 16 zeros at their end, as vector.h asks for.
        v.lane[i] = exact == exact ? bits_float(float_bits(exact) + step) : exact;
        if (v.lane[i] != v.lane[i]) v.lane[i] = exact;
      }
      const char* failure = test(v);
      if (failure != nullptr) return failure;
    }
  }
  return nullptr;
}

// A NaN that is not quiet stays as it is in bfloat16, which shortens it alone.
inline void shorten(float x, bfloat16& out) {
  from_arithmetic(x, out);
  if (x != x) out.bits = static_cast<std::uint16_t>(float_bits(x) >> 16);
}
inline void shorten(float x, float16& out) {
  from_arithmetic(x, out);
}
template <class T>
Row<T, lanes_f32> shortened(const RowF& v) {
  Row<T, lanes_f32> elements;
  for (std::size_t i = 0; i < lanes_f32; ++i) shorten(v.lane[i], elements.lane[i]);
  return elements;
}

inline const char* test_f16_bits() {
  const char* failure = for_floats_near_all<float16>([](const RowF& v) -> const char* {
    RowU16 want;
    copy_bits(want, shortened<float16>(v));
    SIMDROP_EXPECT(same(row(f16_bits(vec(v))), want));
    return nullptr;
  });
  if (failure != nullptr) return failure;
  Random random;  // numbers that float16 has not, and other NaNs
  for (int i = 0; i < 10 * many; ++i) {
    const auto v = any<RowF>(random);
    RowU16 want;
    copy_bits(want, shortened<float16>(v));
    SIMDROP_EXPECT(same(row(f16_bits(vec(v))), want));
  }
  return nullptr;
}

inline const char* test_bf16_bits() {
  return for_floats_near_all<bfloat16>([](const RowF& v) -> const char* {
    RowU32 want;
    const auto elements = shortened<bfloat16>(v);
    for (std::size_t i = 0; i < lanes_f32; ++i) want.lane[i] = elements.lane[i].bits;
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

// write(p, v) writes the elements of v to p, where a vector of them is aligned, and nothing else.
template <class T, class V, class Write>
const char* test_write_16(const Row<T, lanes_f32>& elements, V v, Write write) {
  Random random{elements.lane[0].bits};
  alignas(64) auto memory = any<Row<T, 3 * lanes_f32>>(random);
  auto want = memory;
  copy(want.lane + lanes_f32, elements.lane, lanes_f32);
  write(memory.lane + lanes_f32, v);
  stream_fence();
  SIMDROP_EXPECT(same(memory, want));
  return nullptr;
}

template <class T>
const char* test_store_16() {
  return for_floats_near_all<T>([](const RowF& v) {
    return test_write_16(shortened<T>(v), vec(v), [](T* p, VecF lanes) { store(p, lanes); });
  });
}
template <class T>
const char* test_stream_16() {
  return for_floats_near_all<T>([](const RowF& v) {
    return test_write_16(shortened<T>(v), vec(v), [](T* p, VecF lanes) { stream(p, lanes); });
  });
}

inline const char* test_store_u16() {
  for (std::size_t first = 0; first < 65536; first += lanes_f32) {
    RowU16 v;
    copy_bits(v, elements_from<bfloat16>(first));
    const char* failure = test_write_16(elements_from<bfloat16>(first), vec(v),
                                        [](bfloat16* p, VecU16 lanes) { store_u16(p, lanes); });
    if (failure != nullptr) return failure;
    failure = test_write_16(elements_from<float16>(first), vec(v),
                            [](float16* p, VecU16 lanes) { store_u16(p, lanes); });
    if (failure != nullptr) return failure;
  }
  return nullptr;
}
inline const char* test_stream_u16() {
  for (std::size_t first = 0; first < 65536; first += lanes_f32) {
    RowU16 v;
    copy_bits(v, elements_from<bfloat16>(first));
    const char* failure = test_write_16(elements_from<bfloat16>(first), vec(v),
                                        [](bfloat16* p, VecU16 lanes) { stream_u16(p, lanes); });
    if (failure != nullptr) return failure;
    failure = test_write_16(elements_from<float16>(first), vec(v),
                            [](float16* p, VecU16 lanes) { stream_u16(p, lanes); });
    if (failure != nullptr) return failure;
  }
  return nullptr;
}

}  // namespace
}  // namespace simdrop::detail
