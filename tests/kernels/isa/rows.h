// What the tests of operations share: the lanes of vectors as arrays, varied values for them, and
// how two of them compare. Nothing here is a template of std, nor of doctest: the linker could
// share its weak symbols between instruction sets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/isa/types.h"

// Returns from a test what does not hold.
#define SIMDROP_TEXT_OF(text) #text
#define SIMDROP_LINE_TEXT(line) SIMDROP_TEXT_OF(line)
#define SIMDROP_EXPECT(...) \
  if (!(__VA_ARGS__)) return __FILE__ ":" SIMDROP_LINE_TEXT(__LINE__) ": " #__VA_ARGS__

namespace simdrop::detail {
namespace {

template <class T, std::size_t n>
struct Row {
  T lane[n];
};
template <class T>
using RowOf = Row<T, lanes_of<T>>;
using RowF = RowOf<float>;
using RowD = RowOf<double>;

template <class To, class From>
inline void copy_bits(To& to, const From& from) {
  static_assert(sizeof(To) == sizeof(From));
  std::memcpy(static_cast<void*>(&to), static_cast<const void*>(&from), sizeof to);
}
template <class T>
inline void copy(T* to, const T* from, std::size_t n) {
  std::memcpy(static_cast<void*>(to), static_cast<const void*>(from), n * sizeof(T));
}

// The lanes of a vector lie in memory in their order: these share no code with load and store.
inline RowF row(VecF v) {
  RowF lanes;
  copy_bits(lanes, v);
  return lanes;
}
inline RowD row(VecD v) {
  RowD lanes;
  copy_bits(lanes, v);
  return lanes;
}
inline VecF vec(const RowF& lanes) {
  VecF v;
  copy_bits(v, lanes);
  return v;
}
inline VecD vec(const RowD& lanes) {
  VecD v;
  copy_bits(v, lanes);
  return v;
}

#if !defined(SIMDROP_ISA_SCALAR)
using RowU16 = Row<std::uint16_t, lanes_f32>;
using RowU32 = Row<std::uint32_t, lanes_f32>;
using RowU64 = Row<std::uint64_t, lanes_u64>;
using RowOfQuad = Row<float, 4>;

inline RowU16 row(VecU16 v) {
  RowU16 lanes;
  copy_bits(lanes, v);
  return lanes;
}
inline RowU32 row(VecU32 v) {
  RowU32 lanes;
  copy_bits(lanes, v);
  return lanes;
}
inline RowU64 row(VecU64 v) {
  RowU64 lanes;
  copy_bits(lanes, v);
  return lanes;
}
inline RowOfQuad row(Quad v) {
  RowOfQuad lanes;
  copy_bits(lanes, v);
  return lanes;
}
inline VecU16 vec(const RowU16& lanes) {
  VecU16 v;
  copy_bits(v, lanes);
  return v;
}
inline VecU32 vec(const RowU32& lanes) {
  VecU32 v;
  copy_bits(v, lanes);
  return v;
}
inline VecU64 vec(const RowU64& lanes) {
  VecU64 v;
  copy_bits(v, lanes);
  return v;
}
inline Quad quad(const RowOfQuad& lanes) {
  Quad v;
  copy_bits(v, lanes);
  return v;
}
#endif

// Bit for bit, NaNs and zeros too.
template <class R>
inline bool same(const R& a, const R& b) {
  return std::memcmp(&a, &b, sizeof a) == 0;
}

// As results of arithmetic: one NaN is as good as another.
template <class T, std::size_t n>
inline bool same_values(const Row<T, n>& a, const Row<T, n>& b) {
  for (std::size_t i = 0; i < n; ++i) {
    const bool both_nan = a.lane[i] != a.lane[i] && b.lane[i] != b.lane[i];
    if (!both_nan && !same(a.lane[i], b.lane[i])) return false;
  }
  return true;
}

// SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
struct Random {
  std::uint64_t state = 0;
  std::uint64_t next() {
    std::uint64_t z = state += 0x9E3779B97F4A7C15U;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9U;
    z = (z ^ z >> 27) * 0x94D049BB133111EBU;
    return z ^ z >> 31;
  }
};

constexpr int many = 1000;

// Zeros, subnormal numbers, ones, the largest numbers, infinities and NaNs, quiet and signalling.
constexpr std::uint32_t special_floats[] = {
    0x00000000, 0x80000000, 0x00000001, 0x80000001, 0x007FFFFF, 0x00800000, 0x3F800000, 0xBF800000,
    0x7F7FFFFF, 0xFF7FFFFF, 0x7F800000, 0xFF800000, 0x7FC00000, 0xFFC12345, 0x7F812345};
constexpr std::uint64_t special_doubles[] = {
    0x0000000000000000, 0x8000000000000000, 0x0000000000000001, 0x800FFFFFFFFFFFFF,
    0x0010000000000000, 0x3FF0000000000000, 0xBFF0000000000000, 0x7FEFFFFFFFFFFFFF,
    0xFFEFFFFFFFFFFFFF, 0x7FF0000000000000, 0xFFF0000000000000, 0x7FF8000000000000,
    0xFFF8000012345678, 0x7FF0000012345678, 0x47EFFFFFF0000000, 0x36A0000000000000};
constexpr std::uint64_t special_words[] = {0,
                                           1,
                                           63,
                                           64,
                                           0x7FFFFFFF,
                                           0x80000000,
                                           0xFFFFFFFF,
                                           0x100000000,
                                           0x7FFFFFFFFFFFFFFF,
                                           0x8000000000000000,
                                           0xFFFFFFFF00000000,
                                           0xFFFFFFFFFFFFFFFF};

// A third are special ones, of the others half of moderate size, and half any bits.
inline void draw(Random& random, float& x) {
  const std::uint64_t drawn = random.next();
  auto bits = static_cast<std::uint32_t>(drawn);
  constexpr std::size_t specials = sizeof special_floats / sizeof *special_floats;
  if (drawn >> 32 & 1) bits = (bits & 0x87FFFFFFU) | 0x38000000U;
  if ((drawn >> 33) % 3 == 0) bits = special_floats[(drawn >> 40) % specials];
  copy_bits(x, bits);
}
inline void draw(Random& random, double& x) {
  const std::uint64_t drawn = random.next();
  std::uint64_t bits = random.next();
  constexpr std::size_t specials = sizeof special_doubles / sizeof *special_doubles;
  if (drawn & 1) bits = (bits & 0x807FFFFFFFFFFFFFU) | 0x3F80000000000000U;
  if ((drawn >> 1) % 3 == 0) bits = special_doubles[(drawn >> 8) % specials];
  copy_bits(x, bits);
}
inline void draw(Random& random, std::uint64_t& x) {
  const std::uint64_t drawn = random.next();
  constexpr std::size_t specials = sizeof special_words / sizeof *special_words;
  x = drawn % 3 == 0 ? special_words[(drawn >> 8) % specials] : random.next();
}
inline void draw(Random& random, std::uint32_t& x) {
  std::uint64_t word;
  draw(random, word);
  x = static_cast<std::uint32_t>(word);
}
inline void draw(Random& random, std::uint16_t& x) {
  x = static_cast<std::uint16_t>(random.next());
}
template <class R>
inline R any(Random& random) {
  R lanes;
  for (auto& lane : lanes.lane) draw(random, lane);
  return lanes;
}

}  // namespace
}  // namespace simdrop::detail
