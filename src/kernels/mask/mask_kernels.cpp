// Random words and mask bits. Compiled once for each instruction set.
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/isa/isa.h"
#include "kernels/kernel_table.h"
#include "kernels/mask/bits.h"
#include "kernels/mask/chunk.h"
#include "kernels/mask/overlap.h"
#if defined(SIMDROP_ISA_SCALAR)
#include "kernels/mask/draw_scalar.h"
#include "kernels/mask/philox_scalar.h"
#else
#include "kernels/mask/draw_vector.h"
#include "kernels/mask/philox_vector.h"
#endif

namespace simdrop::detail {
namespace {

// Chunks begin at multiples of chunk_elements of the call, so that no two share a byte of bits_out.
void bernoulli_mask(const MaskSource& source, std::size_t n, std::uint8_t* bits_out) {
  if (is_constant(source)) {
    fill_constant(source, n, bits_out);
    return;
  }
  const SIMDROP_ISA::MaskDrawer drawer(source);
  ChunkBits chunk;
  OverlappedWork none{};  // a default constructor would be a weak symbol
  for (std::size_t begin = 0; begin < n; begin += chunk_elements) {
    const std::size_t count = smaller(n - begin, chunk_elements);
    const std::uint64_t first = source.first + begin;
    const auto position = static_cast<std::size_t>(first % mask_block);
    std::uint8_t* out = bits_out + begin / 8;
    const bool aligned = reinterpret_cast<std::uintptr_t>(out) % sizeof(std::uint64_t) == 0;
    const bool wraps = first + (count - 1) < first;
    if (position == 0 && count == chunk_elements && aligned && !wraps) {
      drawer.draw(first / mask_block, chunk_elements / mask_block,
                  reinterpret_cast<std::uint64_t*>(out), none);
    } else {
      draw_chunk(drawer, first, count, chunk, none);
      copy_bits(chunk.bytes(), position, count, out);
    }
  }
}

}  // namespace

namespace SIMDROP_ISA {

MaskDrawer::MaskDrawer(const MaskSource& source) noexcept : source_(source) {
  static_assert(sizeof(MaskState) <= state_bytes);
  const MaskState state = make_mask_state(source);
  std::memcpy(state_, &state, sizeof state);
}

void MaskDrawer::draw(std::uint64_t block, std::size_t blocks, std::uint64_t* bits,
                      OverlappedWork& work) const noexcept {
  const auto* state = __builtin_launder(reinterpret_cast<const MaskState*>(state_));
  draw_blocks(source_, *state, block, blocks, bits, work);
}

MaskKernels mask_kernels() noexcept {
  return {.philox_fill = philox_fill, .bernoulli_mask = bernoulli_mask};
}

}  // namespace SIMDROP_ISA
}  // namespace simdrop::detail
