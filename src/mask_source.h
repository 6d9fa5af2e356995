// From the public description of a mask to what kernels take.
#pragma once

#include "kernel_table.h"
#include "simdrop/mask.hpp"

namespace simdrop::detail {

// keep_prob must be in [0, 1].
MaskSource make_mask_source(const Dropout& dropout) noexcept;

// The same with the caller's bits instead of drawn ones, unless `bits` is null. With keep_prob 0
// nothing is kept, whatever the bits say.
inline MaskSource make_mask_source(const Dropout& dropout, const std::uint8_t* bits) noexcept {
  MaskSource source = make_mask_source(dropout);
  if (dropout.keep_prob > 0.0) source.bits_in = bits;
  return source;
}

// float(1 / keep_prob); 0 for keep_prob 0, where nothing is kept.
float dropout_scale(double keep_prob) noexcept;

// Throws std::invalid_argument naming the member that is out of its range.
void check_dropout(const Dropout& dropout);

// The same source for the elements from `offset` on (a multiple of 8) of a call.
inline MaskSource advance(MaskSource source, std::size_t offset) noexcept {
  source.first += offset;
  if (source.bits_in != nullptr) source.bits_in += offset / 8;
  return source;
}

}  // namespace simdrop::detail
