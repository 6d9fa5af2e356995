// The seam between the library and the kernels of one instruction set: plain functions over plain
// data, a struct of them for each operation. Kernels are serial, allocate nothing, never throw, and
// trust their arguments. kernel_list.inc names each of them.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/gemm_arguments.h"
#include "kernels/mask_arguments.h"
#include "kernels/optimizer_arguments.h"
#include "simdrop/float16.hpp"
#include "simdrop/isa.hpp"

namespace simdrop::detail {

struct MaskKernels {
  // out[i] = word skip + i of the stream, counted from block first_block (which wraps at 2^64).
  void (*philox_fill)(std::uint64_t seed, std::uint64_t stream, std::uint64_t first_block,
                      unsigned skip, std::int32_t rounds, std::uint32_t* out, std::size_t n);

  // Mask bits of n elements; unused bits of the last byte are cleared.
  void (*bernoulli_mask)(const MaskSource& source, std::size_t n, std::uint8_t* bits);
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
  // y = kept ? x * scale : 0. bits_out (may be null) gets the mask, packed over rows * cols.
  // Serves dropout_forward and both dropout_backward.
  void (*dropout)(const MaskSource& source, A scale, const Shape2D& shape, const T* x, T* y,
                  std::uint8_t* bits_out);

  // y = residual + (kept ? x * scale : +0), rounded after each operation. residual has leading
  // dimension ld_residual; bits_out may be null.
  void (*residual_dropout)(const MaskSource& source, A scale, const Shape2D& shape, const T* x,
                           const T* residual, std::size_t ld_residual, T* y,
                           std::uint8_t* bits_out);

  // z = x + bias; y = kept and not z <= 0 ? z * scale : 0. bias and bits_out may be null.
  void (*bias_relu_dropout)(const MaskSource& source, A scale, const Shape2D& shape, const T* x,
                            const T* bias, T* y, std::uint8_t* bits_out);

  // dx = y > 0 ? dy * scale : 0. y has leading dimension shape.ld_in, dx has shape.ld_out.
  void (*relu_dropout_backward)(A scale, const Shape2D& shape, const T* y, const T* dy,
                                std::size_t ld_dy, T* dx);
};

struct DropoutKernels {
  ElementwiseKernels<float, float> f32;
  ElementwiseKernels<double, double> f64;
  ElementwiseKernels<bfloat16, float> bf16;
  ElementwiseKernels<float16, float> f16;
};

struct GemmKernels {
  // The kept columns of x, times factor. ld_y is at least kept_ld(kept.count): what lies between
  // the rows of y may be written.
  void (*compress_rows_f32)(std::size_t rows, const KeptUnits& kept, float factor, const float* x,
                            std::size_t ld_x, float* y, std::size_t ld_y);

  ProductKernels<float> products_f32;
  ProductKernels<double> products_f64;

  // y (m x n) = x (m x k) W^T + bias, and then not y <= 0 ? y : +0 if relu; w is n x k, row-major
  // as x and y; bias may be null. Nothing is packed, W is read once (from memory: several times
  // from L1 if m is large): for few rows. The order of a sum depends on k alone.
  void (*few_rows_f32)(std::size_t m, std::size_t n, std::size_t k, const float* x, std::size_t ldx,
                       const float* w, std::size_t ldw, const float* bias, bool relu, float* y,
                       std::size_t ldy);
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

struct LossKernels {
  // Output activations and losses; formulas in simdrop/mlp.hpp. Targets may be null: activations
  // alone. Every table gives the same bits. NaN in z spreads to its row (softmax) or its element,
  // and to the loss.
  void (*softmax_ce_f32)(const OutputRows& out, const std::uint8_t* labels);
  void (*sigmoid_bce_f32)(const OutputRows& out, const float* y, std::size_t ld_y);
  void (*identity_mse_f32)(const OutputRows& out, const float* y, std::size_t ld_y);
};

struct OptimizerKernels {
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

// All kernels of an instruction set.
struct KernelTable : MaskKernels, DropoutKernels, GemmKernels, LossKernels, OptimizerKernels {
  Isa isa;
  const char* name;
};

// Each is defined where it is compiled; only those that are compiled may be referred to.
#define SIMDROP_DECLARE_KERNELS(isa)             \
  namespace isa {                                \
  MaskKernels mask_kernels() noexcept;           \
  DropoutKernels dropout_kernels() noexcept;     \
  GemmKernels gemm_kernels() noexcept;           \
  LossKernels loss_kernels() noexcept;           \
  OptimizerKernels optimizer_kernels() noexcept; \
  const KernelTable& kernel_table() noexcept;    \
  }

SIMDROP_DECLARE_KERNELS(scalar)
SIMDROP_DECLARE_KERNELS(neon)
SIMDROP_DECLARE_KERNELS(avx2)
SIMDROP_DECLARE_KERNELS(avx512)

#undef SIMDROP_DECLARE_KERNELS

}  // namespace simdrop::detail
