// Masks are drawn by whole blocks of 256 elements, into a buffer of one chunk that stays in L1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/isa/isa.h"
#include "kernels/mask/overlap.h"
#include "kernels/mask_arguments.h"

namespace simdrop::detail {

namespace SIMDROP_ISA {

// Draws the mask of one call. Compiled once, for all kernels of an instruction set: it hides the
// vectors that the generator starts from.
class MaskDrawer {
 public:
  explicit MaskDrawer(const MaskSource& source) noexcept;

  // Writes the bits of `blocks` blocks, four words each, and up to a chunk of blocks in all; does a
  // share of `work` after each step.
  void draw(std::uint64_t block, std::size_t blocks, std::uint64_t* bits,
            OverlappedWork& work) const noexcept;

 private:
  static constexpr std::size_t state_bytes = 25 * 64;  // 25 vectors of the widest

  const MaskSource& source_;
  alignas(64) unsigned char state_[state_bytes];
};

}  // namespace SIMDROP_ISA

namespace {

constexpr std::size_t mask_block = 256;
constexpr std::size_t block_words = mask_block / 64;
constexpr std::uint64_t all_kept = std::uint64_t{1} << 32;

#if defined(SIMDROP_ISA_SCALAR)
constexpr std::size_t chunk_elements = 4 * mask_block;
#else
constexpr std::size_t chunk_elements = mask_vectors * lanes_u64 * mask_block;
#endif

// A chunk that starts within a block reaches into one more, up to a chunk of blocks is written at a
// time, and a call's elements may wrap around once, which takes another.
struct alignas(64) ChunkBits {
  std::uint64_t words[3 * chunk_elements / 64];
  [[nodiscard]] const std::uint8_t* bytes() const {
    return reinterpret_cast<const std::uint8_t*>(words);
  }
};

// Draws the blocks that hold elements first ... first + n - 1 (n <= chunk_elements). Block indices
// wrap with the element index.
inline void draw_chunk(const SIMDROP_ISA::MaskDrawer& drawer, std::uint64_t first, std::size_t n,
                       ChunkBits& chunk, OverlappedWork& work) {
  const std::uint64_t block = first / mask_block;
  const std::uint64_t to_wrap = (std::uint64_t{1} << 56) - block;
  const std::size_t blocks = (first % mask_block + n + mask_block - 1) / mask_block;
  const std::size_t before = blocks < to_wrap ? blocks : static_cast<std::size_t>(to_wrap);
  drawer.draw(block, before, chunk.words, work);
  if (before < blocks) {
    drawer.draw(0, blocks - before, chunk.words + before * block_words, work);
  }
}

// Whether all elements, or none, are kept: nothing is drawn then.
inline bool is_constant(const MaskSource& source) {
  return source.threshold == 0 || source.threshold == all_kept;
}

// The mask of such a source; unused bits of the last byte are 0.
inline void fill_constant(const MaskSource& source, std::size_t n, std::uint8_t* bits) {
  std::memset(bits, source.threshold == 0 ? 0 : 0xff, (n + 7) / 8);
  if (n % 8 != 0) bits[n / 8] &= static_cast<std::uint8_t>((1U << (n % 8)) - 1);
}

}  // namespace
}  // namespace simdrop::detail
