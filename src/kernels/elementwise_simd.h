// The elementwise kernels over one piece of a row. Tails repeat the vector's arithmetic on single
// elements: without contraction both give the same bits.

constexpr std::size_t vecs_per_word = 64 / lanes_f32;

// Calls fn.template operator()<K>() for K = 0 ... Count - 1.
template <int Count, int K = 0, class Fn>
inline void unrolled(Fn&& fn) {
  if constexpr (K < Count) {
    fn.template operator()<K>();
    unrolled<Count, K + 1>(fn);
  }
}

// y[i] = kept ? body(i) : 0, 64 elements to a word of mask bits; body_vec(i) gives a vector from
// element i on, and body_one(i) a single one.
template <class BodyVec, class BodyOne>
inline void apply_masked(float* y, std::size_t n, const std::uint8_t* bits, std::size_t position,
                         BodyVec body_vec, BodyOne body_one) {
  std::size_t i = 0;
  for (; i + 64 <= n; i += 64) {
    const MaskBits mask(load_bits64(bits, position + i));
    unrolled<static_cast<int>(vecs_per_word)>([&]<int K>() {
      const std::size_t at = i + K * lanes_f32;
      store_f32(y + at, mask.select<K>(body_vec(at)));
    });
  }
  if (i == n) return;
  std::uint64_t word = load_bits64(bits, position + i);
  for (; i + lanes_f32 <= n; i += lanes_f32, word >>= lanes_f32) {
    store_f32(y + i, MaskBits(word).select<0>(body_vec(i)));
  }
  for (; i < n; ++i, word >>= 1) y[i] = (word & 1) != 0 ? body_one(i) : 0.0F;
}

inline void apply_dropout(float scale, const float* x, float* y, std::size_t n,
                          const std::uint8_t* bits, std::size_t position) {
  const VecF scale_vec(scale);
  apply_masked(
      y, n, bits, position, [=](std::size_t i) { return load_f32(x + i) * scale_vec; },
      [=](std::size_t i) { return x[i] * scale; });
}

template <bool HasBias>
inline void apply_relu_dropout(float scale, const float* x, const float* bias, float* y,
                               std::size_t n, const std::uint8_t* bits, std::size_t position) {
  const VecF scale_vec(scale);
  apply_masked(
      y, n, bits, position,
      [=](std::size_t i) {
        VecF z = load_f32(x + i);
        if constexpr (HasBias) z = z + load_f32(bias + i);
        return select_not_le_zero(z, z * scale_vec);
      },
      [=](std::size_t i) {
        const float z = HasBias ? x[i] + bias[i] : x[i];
        return !(z <= 0.0F) ? z * scale : 0.0F;
      });
}

inline void apply_relu_backward(float scale, const float* y, const float* dy, float* dx,
                                std::size_t n) {
  const VecF scale_vec(scale);
  std::size_t i = 0;
  for (; i + lanes_f32 <= n; i += lanes_f32) {
    store_f32(dx + i, select_gt_zero(load_f32(y + i), load_f32(dy + i) * scale_vec));
  }
  for (; i < n; ++i) dx[i] = y[i] > 0.0F ? dy[i] * scale : 0.0F;
}

inline void apply_add(const float* bias, float* x, std::size_t n) {
  std::size_t i = 0;
  for (; i + lanes_f32 <= n; i += lanes_f32) store_f32(x + i, load_f32(x + i) + load_f32(bias + i));
  for (; i < n; ++i) x[i] += bias[i];
}

void scale_f32(float scale, const float* x, float* y, std::size_t n) {
  const VecF scale_vec(scale);
  std::size_t i = 0;
  for (; i + lanes_f32 <= n; i += lanes_f32) store_f32(y + i, load_f32(x + i) * scale_vec);
  for (; i < n; ++i) y[i] = x[i] * scale;
}

// Rows in order, so that the sums do not depend on the width of a vector.
void column_sum_f32(std::size_t rows, std::size_t cols, const float* x, std::size_t ld, float scale,
                    float* sums) {
  std::size_t c = 0;
  for (; c + lanes_f32 <= cols; c += lanes_f32) {
    VecF sum(0.0F);
    for (std::size_t r = 0; r < rows; ++r) sum = sum + load_f32(x + r * ld + c);
    store_f32(sums + c, sum * VecF(scale));
  }
  for (; c < cols; ++c) {
    float sum = 0.0F;
    for (std::size_t r = 0; r < rows; ++r) sum += x[r * ld + c];
    sums[c] = sum * scale;
  }
}
