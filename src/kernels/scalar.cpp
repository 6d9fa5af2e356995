// The scalar table: plain C++ without xsimd. The fallback, and the specification of the others.
#include <cstring>

#include "kernel_table.h"
#include "kernels/philox_scalar.h"

namespace simdrop::detail {
namespace {

#include "kernels/bits.h"

constexpr std::uint32_t tie_low_mask = 0xFFFFFFU;

struct PhiloxStream {
  std::uint64_t seed, stream;
  std::int32_t rounds;

  void block(std::uint64_t index, std::uint32_t* words) const {
    words[0] = static_cast<std::uint32_t>(index);
    words[1] = static_cast<std::uint32_t>(index >> 32);
    words[2] = static_cast<std::uint32_t>(stream);
    words[3] = static_cast<std::uint32_t>(stream >> 32);
    philox_block(words, static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32),
                 rounds);
  }
};

void store_bits32(std::uint32_t bits, std::uint8_t* out) {
  for (unsigned i = 0; i < 4; ++i) out[i] = static_cast<std::uint8_t>(bits >> (8 * i));
}

void philox_fill(std::uint64_t seed, std::uint64_t stream, std::uint64_t first_block, unsigned skip,
                 std::int32_t rounds, std::uint32_t* out, std::size_t n) {
  const PhiloxStream philox{seed, stream, rounds};
  std::uint32_t words[4];
  for (std::size_t done = 0; done < n; ++first_block) {
    philox.block(first_block, words);
    for (; skip < 4 && done < n; ++skip) out[done++] = words[skip];
    skip = 0;
  }
}

// MaskRule::words: element i is kept iff word i < T.
void draw_words_block(const PhiloxStream& philox, std::uint64_t threshold, std::uint64_t block,
                      std::uint8_t* bits) {
  std::uint32_t words[4];
  for (unsigned group = 0; group < 8; ++group) {
    std::uint32_t kept = 0;
    for (unsigned i = 0; i < 32; i += 4) {
      philox.block(block * 64 + group * 8 + i / 4, words);
      for (unsigned j = 0; j < 4; ++j) kept |= std::uint32_t{words[j] < threshold} << (i + j);
    }
    store_bits32(kept, bits + std::size_t{4} * group);
  }
}

// MaskRule::digits, 32 elements at a time: compare digit by digit from the most significant one.
void draw_digits_block(const PhiloxStream& philox, std::uint32_t threshold, std::uint64_t block,
                       std::uint8_t* bits) {
  const unsigned significant = 32U - static_cast<unsigned>(__builtin_ctz(threshold));
  const unsigned digits = significant < 8 ? significant : 8;
  std::uint32_t slabs[64];
  for (unsigned i = 0; i < 2 * digits; ++i) philox.block(2 * digits * block + i, slabs + 4 * i);

  for (unsigned group = 0; group < 8; ++group) {
    std::uint32_t kept = 0;
    std::uint32_t undecided = 0xFFFFFFFFU;
    for (unsigned j = 0; j < digits; ++j) {
      const std::uint32_t slab = slabs[8 * j + group];
      const bool digit = (threshold >> (31 - j) & 1U) != 0;
      if (digit) kept |= undecided & slab;
      undecided &= digit ? ~slab : slab;
    }
    if (significant <= 8) undecided = 0;
    for (; undecided != 0; undecided &= undecided - 1) {
      const auto place = static_cast<unsigned>(__builtin_ctz(undecided));
      const std::uint64_t element = block * 256 + group * 32 + place;
      std::uint32_t words[4];
      philox.block((std::uint64_t{1} << 63) + element / 4, words);
      kept |= std::uint32_t{(words[element % 4] >> 8) < (threshold & tie_low_mask)} << place;
    }
    store_bits32(kept, bits + std::size_t{4} * group);
  }
}

void draw_blocks(const MaskSource& source, std::uint64_t first_block, std::size_t blocks,
                 std::uint8_t* bits) {
  const PhiloxStream philox{source.seed, source.stream, source.rounds};
  const auto threshold = static_cast<std::uint32_t>(source.threshold);
  for (std::size_t i = 0; i < blocks; ++i, bits += 32) {
    if (source.rule == 1) {
      draw_words_block(philox, threshold, first_block + i, bits);
    } else {
      draw_digits_block(philox, threshold, first_block + i, bits);
    }
  }
}

bool bit_at(const std::uint8_t* bits, std::size_t i) {
  return (bits[i / 8] >> (i % 8) & 1) != 0;
}

void apply_dropout(float scale, const float* x, float* y, std::size_t n, const std::uint8_t* bits,
                   std::size_t position) {
  for (std::size_t i = 0; i < n; ++i) y[i] = bit_at(bits, position + i) ? x[i] * scale : 0.0F;
}

template <bool HasBias>
void apply_relu_dropout(float scale, const float* x, const float* bias, float* y, std::size_t n,
                        const std::uint8_t* bits, std::size_t position) {
  for (std::size_t i = 0; i < n; ++i) {
    const float z = HasBias ? x[i] + bias[i] : x[i];
    y[i] = bit_at(bits, position + i) && !(z <= 0.0F) ? z * scale : 0.0F;
  }
}

void apply_relu_backward(float scale, const float* y, const float* dy, float* dx, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) dx[i] = y[i] > 0.0F ? dy[i] * scale : 0.0F;
}

void apply_add(const float* bias, float* x, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) x[i] += bias[i];
}

void scale_f32(float scale, const float* x, float* y, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) y[i] = x[i] * scale;
}

#include "kernels/traverse.h"

void column_sum_f32(std::size_t rows, std::size_t cols, const float* x, std::size_t ld, float scale,
                    float* sums) {
  for (std::size_t c = 0; c < cols; ++c) {
    float sum = 0.0F;
    for (std::size_t r = 0; r < rows; ++r) sum += x[r * ld + c];
    sums[c] = sum * scale;
  }
}

constexpr std::size_t gemm_mr = 4;
constexpr std::size_t gemm_nr = 8;

void gemm_pack_f32(std::size_t rows, std::size_t k, const float* src, std::size_t row_stride,
                   std::size_t k_stride, std::size_t width, float* dst) {
  for (std::size_t row = 0; row < rows; row += width, dst += width * k) {
    for (std::size_t p = 0; p < k; ++p) {
      for (std::size_t i = 0; i < width; ++i) {
        const bool inside = row + i < rows;
        dst[p * width + i] = inside ? src[(row + i) * row_stride + p * k_stride] : 0.0F;
      }
    }
  }
}

void gemm_tile(std::size_t m, std::size_t n, std::size_t k, float alpha, const float* a,
               const float* b, float* c, std::size_t ldc, bool accumulate) {
  float sums[gemm_mr][gemm_nr] = {};
  for (std::size_t p = 0; p < k; ++p) {
    for (std::size_t i = 0; i < gemm_mr; ++i) {
      for (std::size_t j = 0; j < gemm_nr; ++j) {
        sums[i][j] += a[p * gemm_mr + i] * b[p * gemm_nr + j];
      }
    }
  }
  for (std::size_t i = 0; i < m; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      const float value = alpha * sums[i][j];
      c[i * ldc + j] = accumulate ? c[i * ldc + j] + value : value;
    }
  }
}

#include "kernels/gemm_block.h"
#include "kernels/optimizer_scalar.h"

void sgd_f32(const SgdParams& params, std::size_t n, const float* gradient, float* weights,
             float* momentum) {
  sgd_elements(params, 0, n, gradient, weights, momentum);
}

void adam_f32(const AdamParams& params, std::size_t n, const float* gradient, float* weights,
              float* first, float* second) {
  adam_elements(params, 0, n, gradient, weights, first, second);
}

}  // namespace

#define SIMDROP_TABLE_FN kernel_table_scalar
#define SIMDROP_TABLE_ISA Isa::scalar
#define SIMDROP_TABLE_NAME "scalar"
#include "kernels/define_table.h"

}  // namespace simdrop::detail
