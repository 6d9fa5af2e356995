// How kernels walk over elements and their mask bits: shared by the scalar and the SIMD tables.
// Included inside an anonymous namespace, after draw_blocks() and apply_*(); uses no std::
// templates, whose weak symbols the linker could share between instruction sets.

constexpr std::size_t block_elements = 256;
constexpr std::size_t block_bytes = block_elements / 8;
constexpr std::size_t chunk_elements = 8192;
constexpr std::size_t chunk_blocks = chunk_elements / block_elements + 1;  // +1: unaligned start
constexpr std::uint64_t all_kept = std::uint64_t{1} << 32;

// Readers take eight bytes from any bit on, hence the slack at the end.
struct alignas(64) ChunkBits {
  std::uint8_t bytes[chunk_blocks * block_bytes + 64];
};

// Draws the blocks that hold elements first ... first + n - 1 (n <= chunk_elements). Block indices
// wrap with the element index.
inline void draw_chunk(const MaskSource& source, std::uint64_t first, std::size_t n,
                       ChunkBits& chunk) {
  const std::uint64_t block = first / block_elements;
  const std::uint64_t to_wrap = (std::uint64_t{1} << 56) - block;
  const std::size_t blocks = (first % block_elements + n + block_elements - 1) / block_elements;
  const std::size_t before = blocks < to_wrap ? blocks : static_cast<std::size_t>(to_wrap);
  draw_blocks(source, block, before, chunk.bytes);
  if (before < blocks) draw_blocks(source, 0, blocks - before, chunk.bytes + before * block_bytes);
}

// Calls fn(begin, count, bits, position) for consecutive chunks of elements 0 ... n - 1 of a call:
// the mask bit of element begin + i is bit position + i of `bits`. Chunks begin at multiples of
// chunk_elements, so that mask bytes are never shared between two.
template <class Fn>
inline void for_each_chunk(const MaskSource& source, std::size_t n, Fn fn) {
  ChunkBits chunk;
  const bool constant =
      source.bits_in == nullptr && (source.threshold == 0 || source.threshold == all_kept);
  if (constant) std::memset(chunk.bytes, source.threshold == 0 ? 0 : 0xff, sizeof chunk.bytes);
  for (std::size_t begin = 0; begin < n; begin += chunk_elements) {
    const std::size_t count = smaller(n - begin, chunk_elements);
    const std::uint64_t first = source.first + begin;
    std::size_t position = 0;
    if (source.bits_in != nullptr) {
      std::memcpy(chunk.bytes, source.bits_in + begin / 8, (count + 7) / 8);
    } else if (!constant) {
      draw_chunk(source, first, count, chunk);
      position = static_cast<std::size_t>(first % block_elements);
    }
    fn(begin, count, static_cast<const std::uint8_t*>(chunk.bytes), position);
  }
}

void bernoulli_mask(const MaskSource& source, std::size_t n, std::uint8_t* bits_out) {
  for_each_chunk(
      source, n,
      [=](std::size_t begin, std::size_t count, const std::uint8_t* bits, std::size_t position) {
        copy_bits(bits, position, count, bits_out + begin / 8);
      });
}

// Walks a rows x cols call in logical order, chunk by chunk, and hands out pieces of single rows:
// segment(row, col, count, bits, position).
template <class Segment>
inline void for_each_segment(const MaskSource& source, const Shape2D& shape, std::uint8_t* bits_out,
                             Segment segment) {
  std::size_t row = 0;
  std::size_t col = 0;
  const std::size_t cols = shape.cols;
  for_each_chunk(
      source, shape.rows * cols,
      [&](std::size_t begin, std::size_t count, const std::uint8_t* bits, std::size_t position) {
        if (bits_out != nullptr) copy_bits(bits, position, count, bits_out + begin / 8);
        for (std::size_t done = 0; done < count;) {
          const std::size_t piece = smaller(count - done, cols - col);
          segment(row, col, piece, bits, position + done);
          done += piece;
          col += piece;
          if (col == cols) {
            col = 0;
            ++row;
          }
        }
      });
}

// The elementwise kernels, on apply_* functions over one piece of a row.
void dropout_f32(const MaskSource& source, float scale, const Shape2D& shape, const float* x,
                 float* y, std::uint8_t* bits_out) {
  for_each_segment(source, shape, bits_out,
                   [=](std::size_t row, std::size_t col, std::size_t n, const std::uint8_t* bits,
                       std::size_t position) {
                     apply_dropout(scale, x + row * shape.ld_in + col, y + row * shape.ld_out + col,
                                   n, bits, position);
                   });
}

void bias_relu_dropout_f32(const MaskSource& source, float scale, const Shape2D& shape,
                           const float* x, const float* bias, float* y, std::uint8_t* bits_out) {
  for_each_segment(source, shape, bits_out,
                   [=](std::size_t row, std::size_t col, std::size_t n, const std::uint8_t* bits,
                       std::size_t position) {
                     const float* in = x + row * shape.ld_in + col;
                     float* out = y + row * shape.ld_out + col;
                     if (bias != nullptr) {
                       apply_relu_dropout<true>(scale, in, bias + col, out, n, bits, position);
                     } else {
                       apply_relu_dropout<false>(scale, in, nullptr, out, n, bits, position);
                     }
                   });
}

void relu_dropout_backward_f32(float scale, const Shape2D& shape, const float* y, const float* dy,
                               std::size_t ld_dy, float* dx) {
  for (std::size_t row = 0; row < shape.rows; ++row) {
    apply_relu_backward(scale, y + row * shape.ld_in, dy + row * ld_dy, dx + row * shape.ld_out,
                        shape.cols);
  }
}

void add_bias_f32(std::size_t rows, std::size_t cols, const float* bias, float* x, std::size_t ld) {
  for (std::size_t row = 0; row < rows; ++row) apply_add(bias, x + row * ld, cols);
}
