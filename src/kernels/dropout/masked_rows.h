// How the elementwise kernels go over rows and mask bits: bits are drawn a chunk at a time, and
// each chunk is applied while the next one is drawn.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/isa/isa.h"
#include "kernels/kernel_table.h"
#include "kernels/mask/bits.h"
#include "kernels/mask/chunk.h"
#include "kernels/mask/overlap.h"
#include "kernels/mask_arguments.h"

namespace simdrop::detail {
namespace {

// Where the cache lines of a streamed output begin: pieces should end there, as a line that is
// written in two ways is read and written twice.
struct OutputLines {
  std::uintptr_t address = 0;
  std::size_t row_bytes = 0, element_bytes = 0;  // 0: not streaming

  // Elements between the last line that begins at or before (row, col), and that place.
  [[nodiscard]] std::size_t past(std::size_t row, std::size_t col) const {
    if (element_bytes == 0) return 0;
    return (address + row * row_bytes + col * element_bytes) % 64 / element_bytes;
  }
};

// A rows x cols call in the order of its elements, as far as there are mask bits. What is done to a
// piece of a row is apply(row, col, count, bits, position of the first bit).
template <class Apply>
struct MaskedRows {
  Apply apply;
  std::size_t cols;
  OutputLines lines;
  std::size_t row = 0, col = 0;
  const std::uint8_t* bits = nullptr;
  std::size_t position = 0;  // bit of the next element
  std::size_t left = 0;      // elements that `bits` still has

  // Applies the next bits: `elements`, less what is past the last whole line, or all that are left.
  void advance(std::size_t elements) {
    std::size_t todo = smaller(elements, left);
    if (todo < left && todo < cols - col) todo -= smaller(lines.past(row, col + todo), todo);
    while (todo > 0) {
      const std::size_t piece = smaller(todo, cols - col);
      apply(row, col, piece, bits, position);
      position += piece;
      left -= piece;
      todo -= piece;
      col += piece;
      if (col == cols) {
        col = 0;
        ++row;
      }
    }
  }
  void set_bits(const std::uint8_t* new_bits, std::size_t new_position, std::size_t count) {
    bits = new_bits;
    position = new_position;
    left = count;
  }
  // For OverlappedWork.
  static void advance_some(void* self, std::size_t elements) {
    static_cast<MaskedRows*>(self)->advance(elements);
  }
};

// Draws each chunk while the one before it is applied.
template <class Apply>
inline void apply_drawn(const MaskSource& source, std::size_t n, std::uint8_t* bits_out,
                        MaskedRows<Apply>& rows) {
  const SIMDROP_ISA::MaskDrawer drawer(source);
  ChunkBits chunks[2];
  for (std::size_t begin = 0; begin < n; begin += chunk_elements) {
    ChunkBits& chunk = chunks[begin / chunk_elements % 2];
    const std::size_t count = smaller(n - begin, chunk_elements);
    const std::uint64_t first = source.first + begin;
    const auto position = static_cast<std::size_t>(first % mask_block);
    OverlappedWork work{MaskedRows<Apply>::advance_some, &rows, rows.left};
    draw_chunk(drawer, first, count, chunk, work);
    rows.advance(rows.left);
    if (bits_out != nullptr) copy_bits(chunk.bytes(), position, count, bits_out + begin / 8);
    rows.set_bits(chunk.bytes(), position, count);
  }
  rows.advance(rows.left);
}

// apply() on all of a call, with bits that are given, drawn or all the same; y is where it writes.
template <class T, class Apply>
inline void apply_mask(const MaskSource& source, const Shape2D& shape, std::uint8_t* bits_out,
                       const T* y, Apply apply) {
  const std::size_t n = shape.rows * shape.cols;
  MaskedRows<Apply> rows{apply, shape.cols, {}};
  if (shape.streaming) {
    rows.lines = {reinterpret_cast<std::uintptr_t>(y), shape.ld_out * sizeof(T), sizeof(T)};
  }
  if (source.bits_in != nullptr) {
    if (bits_out != nullptr) copy_bits(source.bits_in, 0, n, bits_out);
    rows.set_bits(source.bits_in, 0, n);
    rows.advance(n);
  } else if (is_constant(source)) {
    ChunkBits chunk;
    std::memset(chunk.words, source.threshold == 0 ? 0 : 0xff, sizeof chunk.words);
    if (bits_out != nullptr) fill_constant(source, n, bits_out);
    for (std::size_t begin = 0; begin < n; begin += chunk_elements) {
      rows.set_bits(chunk.bytes(), 0, smaller(n - begin, chunk_elements));
      rows.advance(chunk_elements);
    }
  } else {
    apply_drawn(source, n, bits_out, rows);
  }
  if (shape.streaming) stream_fence();
}

}  // namespace
}  // namespace simdrop::detail
