// The elementwise kernels of dropout, on elements of four types. Compiled once for each instruction
// set.
#include <cstddef>
#include <cstdint>

#include "kernels/dropout/masked_rows.h"
#include "kernels/isa/isa.h"
#include "kernels/kernel_table.h"
#include "kernels/mask_arguments.h"
#include "simdrop/float16.hpp"
#if defined(SIMDROP_ISA_SCALAR)
#include "kernels/dropout/apply_scalar.h"
#else
#include "kernels/dropout/apply_vector.h"
#endif

namespace simdrop::detail {
namespace {

template <class T, class A>
void dropout(const MaskSource& source, A scale, const Shape2D& shape, const T* x, T* y,
             std::uint8_t* bits_out) {
  apply_mask(source, shape, bits_out, y,
             [=](std::size_t row, std::size_t col, std::size_t n, const std::uint8_t* bits,
                 std::size_t position) {
               apply_dropout(scale, x + row * shape.ld_in + col, y + row * shape.ld_out + col, n,
                             bits, position, shape.streaming);
             });
  if (shape.streaming) stream_fence();
}

template <class T, class A>
void bias_relu_dropout(const MaskSource& source, A scale, const Shape2D& shape, const T* x,
                       const T* bias, T* y, std::uint8_t* bits_out) {
  apply_mask(
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

// TEMPORARY until scale, add_bias and column_sum have left the table.
template <class T, class A>
void scale_elements(A factor, const T* x, T* y, std::size_t n) {
#if defined(SIMDROP_ISA_SCALAR)
  for (std::size_t i = 0; i < n; ++i) from_arithmetic(to_arithmetic(x[i]) * factor, y[i]);
#else
  const VecOf<T> factor_vec(factor);
  apply_plain(
      y, n, false, [=](std::size_t i) { return load(x + i) * factor_vec; },
      [=](std::size_t i) { return to_arithmetic(x[i]) * factor; });
#endif
}

template <class T, class A>
constexpr ElementwiseKernels<T, A> elementwise_kernels() {
  return {scale_elements<T, A>, dropout<T, A>, bias_relu_dropout<T, A>,
          relu_dropout_backward<T, A>};
}

}  // namespace

namespace SIMDROP_ISA {

DropoutKernels dropout_kernels() noexcept {
  return {.f32 = elementwise_kernels<float, float>(),
          .f64 = elementwise_kernels<double, double>(),
          .bf16 = elementwise_kernels<bfloat16, float>(),
          .f16 = elementwise_kernels<float16, float>()};
}

}  // namespace SIMDROP_ISA
}  // namespace simdrop::detail
