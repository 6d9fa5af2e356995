// The elementwise kernels over a piece of a row. Tails repeat the vector's arithmetic on single
// elements: without contraction both give the same bits.
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

// y[i] = body(i, whether it is kept), 64 elements to a word of mask bits: body_vec<K>(i, mask)
// gives a vector from element i on, of which part K of the mask says what is kept, and body_one(i,
// kept) an element. The functions take over at element i and return where they stop.
template <class T, class BodyVec, class BodyOne>
struct MaskedRow {
  static constexpr std::size_t lanes = lanes_of<T>;
  T* y;
  std::size_t n;
  const std::uint8_t* bits;
  std::size_t position;
  BodyVec body_vec;
  BodyOne body_one;

  void elements(std::size_t i, std::size_t end) const {
    if (i == end) return;
    std::uint64_t word = load_bits(bits, position + i, end - i);
    for (; i < end; ++i, word >>= 1) {
      from_arithmetic(body_one(i, (word & 1) != 0), y[i]);
    }
  }

  template <class MaskAt, class Put>
  std::size_t words(std::size_t i, MaskAt mask_at, Put put) const {
    for (; i + 64 <= n; i += 64) {
      const MaskBits mask = mask_at(position + i);
      unrolled<static_cast<int>(64 / lanes)>([&]<int K>() {
        const std::size_t at = i + K * lanes;
        put(y + at, body_vec.template operator()<K>(at, mask));
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
      put(y + i, body_vec.template operator()<0>(i, MaskBits(word)));
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

template <class T, class BodyVec, class BodyOne>
inline void apply_masked(T* y, std::size_t n, const std::uint8_t* bits, std::size_t position,
                         bool streaming, BodyVec body_vec, BodyOne body_one) {
  MaskedRow<T, BodyVec, BodyOne>{y, n, bits, position, body_vec, body_one}.run(streaming);
}

template <class T, class A>
inline void apply_dropout(A scale, const T* x, T* y, std::size_t n, const std::uint8_t* bits,
                          std::size_t position, bool streaming) {
  const VecOf<T> scale_vec(scale);
  apply_masked(
      y, n, bits, position, streaming,
      [=]<int K>(std::size_t i, const MaskBits& mask) {
        return mask.select<K>(in_register(load(x + i)) * scale_vec);
      },
      [=](std::size_t i, bool kept) { return kept ? to_arithmetic(x[i]) * scale : A{0}; });
}

template <bool HasBias, class T, class A>
inline void apply_relu_dropout(A scale, const T* x, const T* bias, T* y, std::size_t n,
                               const std::uint8_t* bits, std::size_t position, bool streaming) {
  const VecOf<T> scale_vec(scale);
  apply_masked(
      y, n, bits, position, streaming,
      [=]<int K>(std::size_t i, const MaskBits& mask) {
        VecOf<T> z = load(x + i);
        if constexpr (HasBias) z = z + load(bias + i);
        return mask.select<K>(relu_times(z, scale_vec));
      },
      [=](std::size_t i, bool kept) {
        A z = to_arithmetic(x[i]);
        if constexpr (HasBias) z = z + to_arithmetic(bias[i]);
        return kept && !(z <= 0) ? z * scale : A{0};
      });
}

// y[i] = body(i) without a mask.
template <class T, class BodyVec, class BodyOne>
inline void apply_plain(T* y, std::size_t n, bool streaming, BodyVec body_vec, BodyOne body_one) {
  constexpr std::size_t lanes = lanes_of<T>;
  std::size_t i = 0;
  if (streaming) {
    for (const std::size_t head = unaligned_elements(y, n); i < head; ++i) {
      from_arithmetic(body_one(i), y[i]);
    }
    for (; i + lanes <= n; i += lanes) stream(y + i, body_vec(i));
  }
  for (; i + lanes <= n; i += lanes) store(y + i, body_vec(i));
  for (; i < n; ++i) from_arithmetic(body_one(i), y[i]);
}

template <class T, class A>
inline void apply_relu_backward(A scale, const T* y, const T* dy, T* dx, std::size_t n,
                                bool streaming) {
  const VecOf<T> scale_vec(scale);
  apply_plain(
      dx, n, streaming,
      [=](std::size_t i) {
        return select_gt_zero(load(y + i), in_register(load(dy + i)) * scale_vec);
      },
      [=](std::size_t i) { return to_arithmetic(y[i]) > 0 ? to_arithmetic(dy[i]) * scale : A{0}; });
}

}  // namespace
}  // namespace simdrop::detail
