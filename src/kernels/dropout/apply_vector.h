// A kernel's body over a piece of a row, in vectors. Tails are single elements: without contraction
// both give the same bits.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/isa/element.h"
#include "kernels/isa/isa.h"
#include "kernels/mask/bits.h"

namespace simdrop::detail {
namespace {

// Elements before y is aligned for streaming stores.
template <class T>
inline std::size_t unaligned_elements(const T* y, std::size_t n) {
  constexpr std::size_t line = 64;
  const std::size_t bytes = (line - reinterpret_cast<std::uintptr_t>(y) % line) % line;
  return smaller(bytes / sizeof(T), n);
}

// Sets n elements of y, 64 to a word of mask bits. The functions take over at element i and return
// where they stop.
template <class T, class Body>
struct MaskedPiece {
  static constexpr std::size_t lanes = lanes_of<T>;
  T* y;
  std::size_t n;
  const std::uint8_t* bits;
  std::size_t position;
  Body body;

  void elements(std::size_t i, std::size_t end) const {
    if (i == end) return;
    std::uint64_t word = load_bits(bits, position + i, end - i);
    for (; i < end; ++i, word >>= 1) {
      from_arithmetic(body.element(i, (word & 1) != 0), y[i]);
    }
  }

  template <class MaskAt, class Put>
  std::size_t words(std::size_t i, MaskAt mask_at, Put put) const {
    for (; i + 64 <= n; i += 64) {
      const MaskBits mask = mask_at(position + i);
      unrolled<static_cast<int>(64 / lanes)>([&]<int K>() {
        const std::size_t at = i + K * lanes;
        put(y + at, body.template vector<K>(at, mask));
      });
    }
    return i;
  }

  template <class Put>
  std::size_t vectors(std::size_t i, Put put) const {
    const std::uint8_t* p = bits;
    if ((position + i) % 8 == 0) {
      i = words(
          i, [p](std::size_t bit) { return MaskBits(p + bit / 8); }, put);
    } else {
      i = words(
          i, [p](std::size_t bit) { return MaskBits(load_bits(p, bit, 64)); }, put);
    }
    if (i + lanes > n) return i;
    std::uint64_t word = load_bits(bits, position + i, n - i);
    for (; i + lanes <= n; i += lanes, word >>= lanes % 64) {
      put(y + i, body.template vector<0>(i, MaskBits(word)));
    }
    return i;
  }

  void run(bool streaming) const {
    std::size_t i = 0;
    if (streaming) {
      i = unaligned_elements(y, n);
      elements(0, i);
      i = vectors(i, [](T* p, auto v) { stream(p, v); });
    } else {
      i = vectors(0, [](T* p, auto v) { store(p, v); });
    }
    elements(i, n);
  }
};

// y[i] = body(i, whether bit position + i is set).
template <class T, class Body>
inline void apply_masked(T* y, std::size_t n, const std::uint8_t* bits, std::size_t position,
                         bool streaming, Body body) {
  MaskedPiece<T, Body>{y, n, bits, position, body}.run(streaming);
}

// y[i] = body(i).
template <class T, class Body>
inline void apply_unmasked(T* y, std::size_t n, bool streaming, Body body) {
  constexpr std::size_t lanes = lanes_of<T>;
  std::size_t i = 0;
  if (streaming) {
    for (const std::size_t head = unaligned_elements(y, n); i < head; ++i) {
      from_arithmetic(body.element(i), y[i]);
    }
    for (; i + lanes <= n; i += lanes) stream(y + i, body.vector(i));
  }
  for (; i + lanes <= n; i += lanes) store(y + i, body.vector(i));
  for (; i < n; ++i) from_arithmetic(body.element(i), y[i]);
}

}  // namespace
}  // namespace simdrop::detail
