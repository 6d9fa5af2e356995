// How kernels walk over elements and their mask bits: shared by the scalar and the SIMD tables.
// Included inside an anonymous namespace, after MaskDrawer, chunk_elements and apply_*(); uses
// no std:: templates, whose weak symbols the linker could share between instruction sets.

constexpr std::size_t block_elements = 256;
constexpr std::size_t block_words = block_elements / 64;
constexpr std::uint64_t all_kept = std::uint64_t{1} << 32;

// A chunk that starts within a block reaches into one more. MaskDrawer writes whole batches, of at
// most a chunk; a call's elements may wrap around once, which takes another.
struct alignas(64) ChunkBits {
  std::uint64_t words[3 * chunk_elements / 64];
  [[nodiscard]] const std::uint8_t* bytes() const {
    return reinterpret_cast<const std::uint8_t*>(words);
  }
};

// Draws the blocks that hold elements first ... first + n - 1 (n <= chunk_elements). Block indices
// wrap with the element index.
inline void draw_chunk(const MaskDrawer& drawer, std::uint64_t first, std::size_t n,
                       ChunkBits& chunk, SideWork& side) {
  const std::uint64_t block = first / block_elements;
  const std::uint64_t to_wrap = (std::uint64_t{1} << 56) - block;
  const std::size_t blocks = (first % block_elements + n + block_elements - 1) / block_elements;
  const std::size_t before = blocks < to_wrap ? blocks : static_cast<std::size_t>(to_wrap);
  drawer.draw(block, before, chunk.words, side);
  if (before < blocks) {
    drawer.draw(0, blocks - before, chunk.words + before * block_words, side);
  }
}

inline bool is_constant(const MaskSource& source) {
  return source.threshold == 0 || source.threshold == all_kept;
}

// Chunks begin at multiples of chunk_elements of the call, so that no two share a byte of bits_out.
void bernoulli_mask(const MaskSource& source, std::size_t n, std::uint8_t* bits_out) {
  if (is_constant(source)) {
    std::memset(bits_out, source.threshold == 0 ? 0 : 0xff, (n + 7) / 8);
    if (n % 8 != 0) bits_out[n / 8] &= static_cast<std::uint8_t>((1U << (n % 8)) - 1);
    return;
  }
  const MaskDrawer drawer(source);
  ChunkBits chunk;
  SideWork none;
  for (std::size_t begin = 0; begin < n; begin += chunk_elements) {
    const std::size_t count = smaller(n - begin, chunk_elements);
    const std::uint64_t first = source.first + begin;
    const auto position = static_cast<std::size_t>(first % block_elements);
    std::uint8_t* out = bits_out + begin / 8;
    const bool aligned = reinterpret_cast<std::uintptr_t>(out) % sizeof(std::uint64_t) == 0;
    const bool wraps = first + (count - 1) < first;
    if (position == 0 && count == chunk_elements && aligned && !wraps) {
      drawer.draw(first / block_elements, chunk_elements / block_elements,
                  reinterpret_cast<std::uint64_t*>(out), none);
    } else {
      draw_chunk(drawer, first, count, chunk, none);
      copy_bits(chunk.bytes(), position, count, out);
    }
  }
}

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

// Walks a rows x cols call in logical order, mask by mask, and hands out pieces of single rows:
// segment(row, col, count, bits, position).
template <class Segment>
struct Walk {
  Segment segment;
  std::size_t cols;
  OutputLines lines;
  std::size_t row = 0, col = 0;
  const std::uint8_t* bits = nullptr;
  std::size_t position = 0;  // bit of the next element
  std::size_t left = 0;      // elements that `bits` still has

  // Does `elements`, less what is past the last whole line, or all that is left.
  void run(std::size_t elements) {
    std::size_t todo = smaller(elements, left);
    if (todo < left && todo < cols - col) todo -= smaller(lines.past(row, col + todo), todo);
    while (todo > 0) {
      const std::size_t piece = smaller(todo, cols - col);
      segment(row, col, piece, bits, position);
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
  void start(const std::uint8_t* new_bits, std::size_t new_position, std::size_t count) {
    bits = new_bits;
    position = new_position;
    left = count;
  }
  static void run_some(void* self, std::size_t elements) {
    static_cast<Walk*>(self)->run(elements);
  }
};

// Draws each chunk while the one before it is applied.
template <class Segment>
inline void walk_drawn(const MaskSource& source, std::size_t n, std::uint8_t* bits_out,
                       Walk<Segment>& walk) {
  const MaskDrawer drawer(source);
  ChunkBits chunks[2];
  for (std::size_t begin = 0; begin < n; begin += chunk_elements) {
    ChunkBits& chunk = chunks[begin / chunk_elements % 2];
    const std::size_t count = smaller(n - begin, chunk_elements);
    const std::uint64_t first = source.first + begin;
    const auto position = static_cast<std::size_t>(first % block_elements);
    SideWork side{Walk<Segment>::run_some, &walk, walk.left};
    draw_chunk(drawer, first, count, chunk, side);
    walk.run(walk.left);
    if (bits_out != nullptr) copy_bits(chunk.bytes(), position, count, bits_out + begin / 8);
    walk.start(chunk.bytes(), position, count);
  }
  walk.run(walk.left);
}

template <class T, class Segment>
inline void for_each_segment(const MaskSource& source, const Shape2D& shape, std::uint8_t* bits_out,
                             const T* y, Segment segment) {
  const std::size_t n = shape.rows * shape.cols;
  Walk<Segment> walk{segment, shape.cols, {}};
  if (shape.streaming) {
    walk.lines = {reinterpret_cast<std::uintptr_t>(y), shape.ld_out * sizeof(T), sizeof(T)};
  }
  if (source.bits_in != nullptr) {
    if (bits_out != nullptr) copy_bits(source.bits_in, 0, n, bits_out);
    walk.start(source.bits_in, 0, n);
    walk.run(n);
  } else if (is_constant(source)) {
    ChunkBits chunk;
    std::memset(chunk.words, source.threshold == 0 ? 0 : 0xff, sizeof chunk.words);
    if (bits_out != nullptr) bernoulli_mask(source, n, bits_out);
    for (std::size_t begin = 0; begin < n; begin += chunk_elements) {
      walk.start(chunk.bytes(), 0, smaller(n - begin, chunk_elements));
      walk.run(chunk_elements);
    }
  } else {
    walk_drawn(source, n, bits_out, walk);
  }
}

// The elementwise kernels, on apply_* functions over one piece of a row.
template <class T, class A>
void dropout(const MaskSource& source, A scale, const Shape2D& shape, const T* x, T* y,
             std::uint8_t* bits_out) {
  for_each_segment(source, shape, bits_out, y,
                   [=](std::size_t row, std::size_t col, std::size_t n, const std::uint8_t* bits,
                       std::size_t position) {
                     apply_dropout(scale, x + row * shape.ld_in + col, y + row * shape.ld_out + col,
                                   n, bits, position, shape.streaming);
                   });
  if (shape.streaming) stream_fence();
}

template <class T, class A>
void bias_relu_dropout(const MaskSource& source, A scale, const Shape2D& shape, const T* x,
                       const T* bias, T* y, std::uint8_t* bits_out) {
  for_each_segment(
      source, shape, bits_out, y,
      [=](std::size_t row, std::size_t col, std::size_t n, const std::uint8_t* bits,
          std::size_t position) {
        const T* in = x + row * shape.ld_in + col;
        T* out = y + row * shape.ld_out + col;
        if (bias != nullptr) {
          apply_relu_dropout<true>(scale, in, bias + col, out, n, bits, position, shape.streaming);
        } else {
          apply_relu_dropout<false>(scale, in, bias, out, n, bits, position, shape.streaming);
        }
      });
  if (shape.streaming) stream_fence();
}

template <class T, class A>
void relu_dropout_backward(A scale, const Shape2D& shape, const T* y, const T* dy,
                           std::size_t ld_dy, T* dx) {
  for (std::size_t row = 0; row < shape.rows; ++row) {
    apply_relu_backward(scale, y + row * shape.ld_in, dy + row * ld_dy, dx + row * shape.ld_out,
                        shape.cols, shape.streaming);
  }
  if (shape.streaming) stream_fence();
}

void add_bias_f32(std::size_t rows, std::size_t cols, const float* bias, float* x, std::size_t ld) {
  for (std::size_t row = 0; row < rows; ++row) apply_add(bias, x + row * ld, cols);
}

template <class T, class A>
constexpr ElementwiseKernels<T, A> elementwise_kernels() {
  return {scale_elements<T, A>, dropout<T, A>, bias_relu_dropout<T, A>,
          relu_dropout_backward<T, A>};
}
