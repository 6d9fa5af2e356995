// The scalar table: plain C++ without xsimd. The fallback, and the specification of the others.
#include <cstring>

#include "kernels/kernel_table.h"
#include "kernels/mask/philox_block.h"
#include "kernels/mask/poisson.h"

namespace simdrop::detail {
namespace {

#include "kernels/isa/element.h"
#include "kernels/mask/bits.h"
#include "kernels/mask/overlap.h"
#include "kernels/mask/poisson_scalar.h"

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
void draw_words_block(const MaskSource& source, std::uint64_t block, std::uint8_t* bits) {
  const PhiloxStream philox{source.seed, source.stream, source.rounds};
  std::uint32_t words[4];
  for (unsigned group = 0; group < 8; ++group) {
    std::uint32_t kept = 0;
    for (unsigned i = 0; i < 32; i += 4) {
      philox.block(block * 64 + group * 8 + i / 4, words);
      for (unsigned j = 0; j < 4; ++j)
        kept |= std::uint32_t{words[j] < source.threshold} << (i + j);
    }
    store_bits32(kept, bits + std::size_t{4} * group);
  }
}

// MaskRule::dyadic, one block of 256 elements.
void draw_dyadic_block(const MaskSource& source, std::uint64_t block, std::uint8_t* bits) {
  const DyadicPlan& plan = source.dyadic;
  std::uint32_t kept[8];
  for (auto& word : kept) word = plan.digits == 0 && plan.numerator != 0 ? 0xFFFFFFFFU : 0U;
  for (std::uint32_t j = plan.digits; j-- > 0;) {
    const bool digit = (plan.numerator >> (plan.digits - 1 - j) & 1U) != 0;
    for (unsigned half = 0; half < 2; ++half) {
      std::uint32_t words[4];
      draw_piece(source, block, 2 * j + half, words);
      for (unsigned w = 0; w < 4; ++w) {
        std::uint32_t& k = kept[4 * half + w];
        k = digit ? k | words[w] : k & words[w];
      }
    }
  }
  std::uint64_t struck[4] = {};
  if (plan.hits.slots != 0) draw_hits(source, block, struck);
  for (unsigned w = 0; w < 8; ++w) {
    const auto hits = static_cast<std::uint32_t>(struck[w / 2] >> (32 * (w % 2)));
    store_bits32(plan.hits_keep ? kept[w] | hits : kept[w] & ~hits, bits + std::size_t{4} * w);
  }
}

constexpr std::size_t chunk_elements = 1024;

struct MaskDrawer {
  const MaskSource& source;

  explicit MaskDrawer(const MaskSource& mask) : source(mask) {}

  void draw(std::uint64_t block, std::size_t blocks, std::uint64_t* out, SideWork& side) const {
    auto* bits = reinterpret_cast<std::uint8_t*>(out);
    side.plan(blocks);
    for (std::size_t i = 0; i < blocks; ++i, bits += 32) {
      if (source.rule == 1) {
        draw_words_block(source, block + i, bits);
      } else {
        draw_dyadic_block(source, block + i, bits);
      }
      side.step(1);
    }
  }
};

bool bit_at(const std::uint8_t* bits, std::size_t i) {
  return (bits[i / 8] >> (i % 8) & 1) != 0;
}

template <class T, class A>
void apply_dropout(A scale, const T* x, T* y, std::size_t n, const std::uint8_t* bits,
                   std::size_t position, bool /*streaming*/) {
  for (std::size_t i = 0; i < n; ++i) {
    from_arithmetic(bit_at(bits, position + i) ? to_arithmetic(x[i]) * scale : A{0}, y[i]);
  }
}

template <bool HasBias, class T, class A>
void apply_relu_dropout(A scale, const T* x, const T* bias, T* y, std::size_t n,
                        const std::uint8_t* bits, std::size_t position, bool /*streaming*/) {
  for (std::size_t i = 0; i < n; ++i) {
    A z = to_arithmetic(x[i]);
    if constexpr (HasBias) z = z + to_arithmetic(bias[i]);
    from_arithmetic(bit_at(bits, position + i) && !(z <= 0) ? z * scale : A{0}, y[i]);
  }
}

template <class T, class A>
void apply_relu_backward(A scale, const T* y, const T* dy, T* dx, std::size_t n,
                         bool /*streaming*/) {
  for (std::size_t i = 0; i < n; ++i) {
    from_arithmetic(to_arithmetic(y[i]) > 0 ? to_arithmetic(dy[i]) * scale : A{0}, dx[i]);
  }
}

void apply_add(const float* bias, float* x, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) x[i] += bias[i];
}

template <class T, class A>
void scale_elements(A factor, const T* x, T* y, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) from_arithmetic(to_arithmetic(x[i]) * factor, y[i]);
}

void stream_fence() {}

#include "kernels/dropout/rows.h"

void column_sum_f32(std::size_t rows, std::size_t cols, const float* x, std::size_t ld, float scale,
                    float* sums) {
  for (std::size_t c = 0; c < cols; ++c) {
    float sum = 0.0F;
    for (std::size_t r = 0; r < rows; ++r) sum += x[r * ld + c];
    sums[c] = sum * scale;
  }
}

#include "kernels/gemm/few_rows_scalar.h"
#include "kernels/loss/loss_scalar.h"
#include "kernels/optimizer/update_scalar.h"

void sgd_f32(const SgdParams& params, std::size_t n, const float* gradient, float* weights,
             float* momentum) {
  sgd_elements(params, 0, n, gradient, weights, momentum);
}

void adam_f32(const AdamParams& params, std::size_t n, const float* gradient, float* weights,
              float* first, float* second) {
  adam_elements(params, 0, n, gradient, weights, first, second);
}

double row_norm(std::size_t n, const float* row) {
  double sums[norm_sums] = {};
  std::size_t j = 0;
  for (; j + norm_sums <= n; j += norm_sums) {
    for (std::size_t k = 0; k < norm_sums; ++k) {
      const auto value = static_cast<double>(row[j + k]);
      sums[k] += value * value;
    }
  }
  return norm_of(fold_sums(sums, norm_sums), j, n, row);
}

void scale_row(double factor, std::size_t n, float* row) {
  scale_in_double(factor, 0, n, row);
}

#include "kernels/optimizer/rows.h"

// The order matters: each part uses the ones before it.
// clang-format off
#include "kernels/isa/scalar.h"
#include "kernels/optimizer/tiles.h"
#include "kernels/gemm/micro.h"
#include "kernels/gemm/pack.h"
#include "kernels/gemm/kept_units.h"
#include "kernels/gemm/epilogue.h"
#include "kernels/gemm/products.h"
// clang-format on

}  // namespace

#define SIMDROP_TABLE_FN kernel_table_scalar
#define SIMDROP_TABLE_ISA Isa::scalar
#define SIMDROP_TABLE_NAME "scalar"
#include "kernels/define_table.h"

}  // namespace simdrop::detail
