// From the public description of a mask to what kernels take.
#pragma once

#include <algorithm>
#include <limits>

#include "kernels/kernel_table.h"
#include "simdrop/mask.hpp"

namespace simdrop::detail {

// keep_prob must be in [0, 1]. If `bits` is not null, they are kept instead of drawn ones; with
// keep_prob 0 nothing is kept, whatever they say.
MaskSource make_mask_source(const Dropout& dropout, const std::uint8_t* bits = nullptr) noexcept;

// A(1 / keep_prob), at most the largest finite one: 0 times it must be 0. 0 for keep_prob 0,
// where nothing is kept. A: float or double.
template <class A = float>
A dropout_scale(double keep_prob) noexcept {
  constexpr double largest = std::numeric_limits<A>::max();
  return keep_prob == 0.0 ? A{0} : static_cast<A>(std::min(1.0 / keep_prob, largest));
}

// Masks are shared out at whole blocks of the generator, and so at bytes.
inline constexpr std::size_t mask_grain = 2048;

// The same source for the elements from `offset` on (a multiple of 8) of a call.
inline MaskSource advance(MaskSource source, std::size_t offset) noexcept {
  source.first += offset;
  if (source.bits_in != nullptr) source.bits_in += offset / 8;
  return source;
}

}  // namespace simdrop::detail
