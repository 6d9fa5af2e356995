// The mask of a layer: drawn from its stream, or the caller's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/buffer.h"
#include "kernels/mask_arguments.h"
#include "simdrop/rng.hpp"

namespace simdrop::detail {

// Bits first ... first + n - 1 of `bits` from bit 0 on; the others of the last byte are 0.
void extract_bits(const std::uint8_t* bits, std::size_t first, std::size_t n, std::uint8_t* out);

class LayerMask {
 public:
  // Room for so many bits.
  void allocate(std::size_t bits);
  // The caller's bits, from the next begin() on; empty: they are drawn again.
  void inject(std::span<const std::uint8_t> bits);
  void copy_injected(const LayerMask& other) { injected_ = other.injected_; }

  // A batch of n bits begins. With `keep` they will lie in memory() for readers, also where nothing
  // is dropped.
  void begin(double keep_prob, std::size_t n, bool keep);

  // Of the batch.
  [[nodiscard]] double keep_prob() const noexcept { return keep_prob_; }
  [[nodiscard]] bool injected() const noexcept { return !injected_.empty(); }
  // Null where all is kept. If drawn(), they are yet to be drawn, into memory().
  [[nodiscard]] const std::uint8_t* bits() const noexcept { return bits_; }
  [[nodiscard]] bool drawn() const noexcept { return bits_ != nullptr && bits_ == memory(); }
  [[nodiscard]] std::uint8_t* memory() const noexcept { return memory_.get(); }
  // Where kernels take the bits from: the caller's, or element `first` on of a stream.
  [[nodiscard]] MaskSource source(Stream stream, std::uint64_t first) const;

 private:
  Buffer<std::uint8_t> memory_;
  std::vector<std::uint8_t> injected_;
  double keep_prob_ = 1.0;
  const std::uint8_t* bits_ = nullptr;
};

}  // namespace simdrop::detail
