// Tests of the operations that read and write floats and doubles in memory. Memory around what is
// written must stay as it is, and what is beyond an edge must not be touched.
#pragma once

#include <cstddef>

#include "kernels/isa/isa.h"
#include "operation_tests.h"
#include "rows.h"

namespace simdrop::detail {
namespace {

// n elements that end where memory does.
template <class T>
inline T* last(std::size_t n) {
  return reinterpret_cast<T*>(memory_edges.end) - n;
}
template <class T>
inline T* first() {
  return reinterpret_cast<T*>(memory_edges.first);
}

template <class T>
const char* test_load_one() {
  Random random;
  for (int i = 0; i < many; ++i) {
    T x;
    draw(random, x);
    copy(last<T>(1), &x, 1);
    SIMDROP_EXPECT(same(load_one(last<const T>(1)), x));
  }
  return nullptr;
}

template <class T>
const char* test_load() {
  Random random;
  for (int i = 0; i < many; ++i) {
    const auto want = any<RowOf<T>>(random);
    auto memory = any<Row<T, 2 * lanes_of<T>>>(random);
    T* at = memory.lane + static_cast<std::size_t>(i) % lanes_of<T>;
    copy(at, want.lane, lanes_of<T>);
    SIMDROP_EXPECT(same(row(load(at)), want));
    copy(last<T>(lanes_of<T>), want.lane, lanes_of<T>);
    SIMDROP_EXPECT(same(row(load(last<const T>(lanes_of<T>))), want));
  }
  return nullptr;
}

template <class T>
const char* test_store() {
  Random random;
  for (int i = 0; i < many; ++i) {
    const auto v = any<RowOf<T>>(random);
    auto memory = any<Row<T, 3 * lanes_of<T>>>(random);
    auto want = memory;
    const std::size_t at = lanes_of<T> + static_cast<std::size_t>(i) % lanes_of<T>;
    copy(want.lane + at, v.lane, lanes_of<T>);
    store(memory.lane + at, vec(v));
    SIMDROP_EXPECT(same(memory, want));
  }
  return nullptr;
}

template <class T>
const char* test_load_first() {
  Random random;
  for (std::size_t n = 1; n <= lanes_of<T>; ++n) {
    for (int i = 0; i < many; ++i) {
      const auto from = any<RowOf<T>>(random);
      RowOf<T> want{};
      copy(want.lane, from.lane, n);
      SIMDROP_EXPECT(same(row(load_first(from.lane, n)), want));
      copy(last<T>(n), from.lane, n);
      SIMDROP_EXPECT(same(row(load_first(last<const T>(n), n)), want));
      copy(first<T>(), from.lane, n);
      SIMDROP_EXPECT(same(row(load_first(first<const T>(), n)), want));
    }
  }
  return nullptr;
}

template <class T>
const char* test_store_first() {
  Random random;
  for (std::size_t n = 1; n <= lanes_of<T>; ++n) {
    for (int i = 0; i < many; ++i) {
      const auto v = any<RowOf<T>>(random);
      auto memory = any<Row<T, 3 * lanes_of<T>>>(random);
      auto want = memory;
      copy(want.lane + lanes_of<T>, v.lane, n);
      store_first(memory.lane + lanes_of<T>, vec(v), n);
      SIMDROP_EXPECT(same(memory, want));
      store_first(last<T>(n), vec(v), n);
      SIMDROP_EXPECT(std::memcmp(last<T>(n), v.lane, n * sizeof(T)) == 0);
      store_first(first<T>(), vec(v), n);
      SIMDROP_EXPECT(std::memcmp(first<T>(), v.lane, n * sizeof(T)) == 0);
    }
  }
  return nullptr;
}

inline const char* test_load_double() {
  Random random;
  for (int i = 0; i < many; ++i) {
    const auto from = any<Row<float, lanes_f64>>(random);
    RowD want;
    for (std::size_t lane = 0; lane < lanes_f64; ++lane) {
      want.lane[lane] = static_cast<double>(from.lane[lane]);
    }
    copy(last<float>(lanes_f64), from.lane, lanes_f64);
    SIMDROP_EXPECT(same_values(row(load_double(last<const float>(lanes_f64))), want));
  }
  return nullptr;
}

// The low bits are all that rounding to float sees: half of the values are ties, or next to one.
inline RowD near_ties(Random& random) {
  auto v = any<RowD>(random);
  for (double& x : v.lane) {
    std::uint64_t bits;
    copy_bits(bits, x);
    const std::uint64_t drawn = random.next();
    if ((drawn & 1) != 0) bits = (bits & ~0x1FFFFFFFULL) + 0xFFFFFFF + (drawn >> 1) % 3;
    copy_bits(x, bits);
  }
  return v;
}

inline const char* test_store_float() {
  Random random;
  for (int i = 0; i < many; ++i) {
    const RowD v = near_ties(random);
    auto memory = any<Row<float, 3 * lanes_f64>>(random);
    auto want = memory;
    for (std::size_t lane = 0; lane < lanes_f64; ++lane) {
      want.lane[lanes_f64 + lane] = static_cast<float>(v.lane[lane]);
    }
    store_float(memory.lane + lanes_f64, vec(v));
    SIMDROP_EXPECT(same_values(memory, want));
  }
  return nullptr;
}

#if defined(SIMDROP_ISA_SCALAR)
// It has no stream(): there is nothing to wait for.
inline const char* test_stream_fence() {
  stream_fence();
  return nullptr;
}
#else
template <class T>
const char* test_stream() {
  Random random;
  for (int i = 0; i < many; ++i) {
    const auto v = any<RowOf<T>>(random);
    alignas(64) auto memory = any<Row<T, 3 * lanes_of<T>>>(random);
    auto want = memory;
    copy(want.lane + lanes_of<T>, v.lane, lanes_of<T>);
    stream(memory.lane + lanes_of<T>, vec(v));
    stream_fence();
    SIMDROP_EXPECT(same(memory, want));
  }
  return nullptr;
}

inline const char* test_stream_fence() {
  Random random;
  constexpr std::size_t vectors = 64;
  alignas(64) Row<float, vectors * lanes_f32> memory{};
  const auto want = any<Row<float, vectors * lanes_f32>>(random);
  for (std::size_t i = 0; i < vectors * lanes_f32; i += lanes_f32) {
    stream(memory.lane + i, load(want.lane + i));
  }
  stream_fence();
  SIMDROP_EXPECT(same(memory, want));
  return nullptr;
}

inline const char* test_load_first_fill() {
  Random random;
  for (std::size_t n = 1; n <= lanes_f32; ++n) {
    for (int i = 0; i < many; ++i) {
      const auto from = any<RowF>(random);
      const auto fill = any<RowF>(random);
      RowF want = fill;
      copy(want.lane, from.lane, n);
      SIMDROP_EXPECT(same(row(load_first(from.lane, n, vec(fill))), want));
      copy(last<float>(n), from.lane, n);
      SIMDROP_EXPECT(same(row(load_first(last<const float>(n), n, vec(fill))), want));
    }
  }
  return nullptr;
}

inline const char* test_load_quad() {
  Random random;
  for (std::size_t n = 0; n <= 4; ++n) {
    for (int i = 0; i < many; ++i) {
      const auto from = any<RowOfQuad>(random);
      RowOfQuad want{};
      copy(want.lane, from.lane, n);
      SIMDROP_EXPECT(same(row(load_quad(from.lane, n)), want));
      copy(last<float>(n), from.lane, n);
      SIMDROP_EXPECT(same(row(load_quad(last<const float>(n), n)), want));
    }
  }
  return nullptr;
}

inline const char* test_store_quad() {
  Random random;
  for (std::size_t n = 0; n <= 4; ++n) {
    for (int i = 0; i < many; ++i) {
      const auto v = any<RowOfQuad>(random);
      auto memory = any<Row<float, 12>>(random);
      auto want = memory;
      copy(want.lane + 4, v.lane, n);
      store_quad(memory.lane + 4, quad(v), n);
      SIMDROP_EXPECT(same(memory, want));
      store_quad(last<float>(n), quad(v), n);
      SIMDROP_EXPECT(std::memcmp(last<float>(n), v.lane, n * sizeof(float)) == 0);
    }
  }
  return nullptr;
}
#endif

}  // namespace
}  // namespace simdrop::detail
