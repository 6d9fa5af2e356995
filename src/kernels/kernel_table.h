// The seam between the library and the kernels of one instruction set: plain functions over POD.
// Kernels are serial, allocate nothing, never throw, and trust their arguments.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/product_kernels.h"
#include "simdrop/float16.hpp"
#include "simdrop/isa.hpp"

namespace simdrop::detail {

// How many hits a block of 256 elements has: those k with u > c_k (mask.hpp, step 3). Kernels have
// room for `slots` of them, a multiple of 8 that few blocks exceed; beyond c_slots the sequence
// goes on from `term` and `sum`, which are p_slots and s_slots.
struct HitLaw {
  static constexpr int max_slots = 48;
  int slots;  // 0: no hits
  double mean, term, sum;
  std::int64_t cdf[max_slots + 1];  // c_k - 2^63, so that a signed comparison orders them
};

// MaskRule::dyadic with T worked out.
struct DyadicPlan {
  std::uint32_t digits, numerator;  // the base mask keeps with probability numerator / 2^digits
  bool hits_keep;                   // whether a struck element is kept, or dropped
  HitLaw hits;
};

// Which elements a call keeps. Bits come from `bits_in` where that is not null (bit 0 is element 0
// of the call), else they are drawn from the stream.
struct MaskSource {
  std::uint64_t seed;
  std::uint64_t stream;
  std::uint64_t first;      // stream index of element 0 of the call
  std::uint64_t threshold;  // round(keep_prob * 2^32), 0 ... 2^32
  std::int32_t rounds;      // 7 or 10
  std::int32_t rule;        // MaskRule
  const std::uint8_t* bits_in;
  DyadicPlan dyadic;  // for that rule, 0 < threshold < 2^32 and no bits_in
};

// An elementwise call over rows x cols: input and output may have different leading dimensions.
struct Shape2D {
  std::size_t rows;
  std::size_t cols;
  std::size_t ld_in;
  std::size_t ld_out;
  bool streaming = false;  // write around the caches
};

// T is the type in memory, A that of the arithmetic.
template <class T, class A>
struct ElementwiseKernels {
  // y = x * scale: no dropout, the yardstick of the benchmarks.
  void (*scale)(A scale, const T* x, T* y, std::size_t n);

  // y = kept ? x * scale : 0. bits_out (may be null) gets the mask, packed over rows * cols.
  // Serves dropout_forward and both dropout_backward.
  void (*dropout)(const MaskSource& source, A scale, const Shape2D& shape, const T* x, T* y,
                  std::uint8_t* bits_out);

  // z = x + bias; y = kept and not z <= 0 ? z * scale : 0. bias and bits_out may be null.
  void (*bias_relu_dropout)(const MaskSource& source, A scale, const Shape2D& shape, const T* x,
                            const T* bias, T* y, std::uint8_t* bits_out);

  // dx = y > 0 ? dy * scale : 0. y has leading dimension shape.ld_in, dx has shape.ld_out.
  void (*relu_dropout_backward)(A scale, const Shape2D& shape, const T* y, const T* dy,
                                std::size_t ld_dy, T* dx);
};

// The output layer of some examples: z += bias, a = activation(z), and with targets losses[r], the
// loss of row r, and dz, its gradient in z. z, a and dz have the same leading dimension.
struct OutputRows {
  std::size_t rows, cols, ld;
  const float* bias;  // may be null: z has it already, and is not written
  float* z;
  float* a;   // may be z if there are no targets
  float* dz;  // only with targets, as losses
  double* losses;
};

struct KernelTable {
  Isa isa;
  const char* name;

  // out[i] = word skip + i of the stream, counted from block first_block (which wraps at 2^64).
  void (*philox_fill)(std::uint64_t seed, std::uint64_t stream, std::uint64_t first_block,
                      unsigned skip, std::int32_t rounds, std::uint32_t* out, std::size_t n);

  // Mask bits of n elements; unused bits of the last byte are cleared.
  void (*bernoulli_mask)(const MaskSource& source, std::size_t n, std::uint8_t* bits);

  ElementwiseKernels<float, float> f32;
  ElementwiseKernels<double, double> f64;
  ElementwiseKernels<bfloat16, float> bf16;
  ElementwiseKernels<float16, float> f16;

  // The kept columns of x, times factor. ld_y is at least kept_ld(kept.count): what lies between
  // the rows of y may be written.
  void (*compress_rows_f32)(std::size_t rows, const KeptUnits& kept, float factor, const float* x,
                            std::size_t ld_x, float* y, std::size_t ld_y);

  // x += bias on every row.
  void (*add_bias_f32)(std::size_t rows, std::size_t cols, const float* bias, float* x,
                       std::size_t ld);

  // sums[c] = scale * (x(0, c) + x(1, c) + ...), rows in order.
  void (*column_sum_f32)(std::size_t rows, std::size_t cols, const float* x, std::size_t ld,
                         float scale, float* sums);

  ProductKernels<float> products_f32;
  ProductKernels<double> products_f64;

  // y (m x n) = x (m x k) W^T + bias, and then not y <= 0 ? y : +0 if relu; w is n x k, row-major
  // as x and y; bias may be null. Nothing is packed, W is read once (from memory: several times
  // from L1 if m is large): for few rows. The order of a sum depends on k alone.
  void (*linear_small_f32)(std::size_t m, std::size_t n, std::size_t k, const float* x,
                           std::size_t ldx, const float* w, std::size_t ldw, const float* bias,
                           bool relu, float* y, std::size_t ldy);

  // Output activations and losses; formulas in simdrop/mlp.hpp. Targets may be null: activations
  // alone. Every table gives the same bits. NaN in z spreads to its row (softmax) or its element,
  // and to the loss.
  void (*softmax_ce_f32)(const OutputRows& out, const std::uint8_t* labels);
  void (*sigmoid_bce_f32)(const OutputRows& out, const float* y, std::size_t ld_y);
  void (*identity_mse_f32)(const OutputRows& out, const float* y, std::size_t ld_y);

  // One optimiser step over n weights; momentum may be null if params.momentum is 0.
  void (*sgd_f32)(const SgdParams& params, std::size_t n, const float* gradient, float* weights,
                  float* momentum);
  void (*adam_f32)(const AdamParams& params, std::size_t n, const float* gradient, float* weights,
                   float* first, float* second);

  // The same over rows x cols weights without gaps, and then the max-norm constraint: a row whose
  // Euclidean norm is finite and above max_norm is scaled to it. limit_norms: the constraint alone.
  void (*sgd_rows_f32)(const SgdParams& params, double max_norm, std::size_t rows, std::size_t cols,
                       const float* gradient, float* weights, float* momentum);
  void (*adam_rows_f32)(const AdamParams& params, double max_norm, std::size_t rows,
                        std::size_t cols, const float* gradient, float* weights, float* first,
                        float* second);
  void (*limit_norms_f32)(double max_norm, std::size_t rows, std::size_t cols, float* weights);
};

// Defined by one translation unit each; only those that are compiled may be referred to.
const KernelTable& kernel_table_scalar() noexcept;
const KernelTable& kernel_table_avx2() noexcept;
const KernelTable& kernel_table_avx512() noexcept;
const KernelTable& kernel_table_neon() noexcept;

}  // namespace simdrop::detail
