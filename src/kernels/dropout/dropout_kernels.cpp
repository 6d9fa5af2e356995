// The elementwise kernels of dropout, on elements of four types. Compiled once for each instruction
// set.
//
// A kernel is a body and the rows that it goes over. element() is the kernel in plain C++, all that
// the scalar table has; vector() is the same on lanes_of<T> elements from i on. With a mask,
// vector<K>() gets 64 bits, of which those of part K are its own. T is the type in memory, A that
// of the arithmetic.
#include <cstddef>
#include <cstdint>

#include "kernels/dropout/masked_rows.h"
#include "kernels/isa/element.h"
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
struct DropoutBody {
  A scale;
  const T* x;
  VecOf<T> scales = VecOf<T>(scale);

  [[nodiscard]] A element(std::size_t i, bool kept) const {
    return kept ? to_arithmetic(x[i]) * scale : A{0};
  }
  template <int K, class Mask>
  [[nodiscard]] VecOf<T> vector(std::size_t i, const Mask& mask) const {
    return mask.template select<K>(in_register(load(x + i)) * scales);
  }
};

template <class T, class A>
void dropout(const MaskSource& source, A scale, const Shape2D& shape, const T* x, T* y,
             std::uint8_t* bits_out) {
  apply_mask(source, shape, bits_out, y,
             [=](std::size_t row, std::size_t col, std::size_t n, const std::uint8_t* bits,
                 std::size_t position) {
               const DropoutBody<T, A> body{scale, x + row * shape.ld_in + col};
               apply_masked(y + row * shape.ld_out + col, n, bits, position, shape.streaming, body);
             });
}

template <class T, class A>
struct ResidualBody {
  A scale;
  const T *x, *residual;
  VecOf<T> scales = VecOf<T>(scale);

  [[nodiscard]] A element(std::size_t i, bool kept) const {
    return to_arithmetic(residual[i]) + (kept ? to_arithmetic(x[i]) * scale : A{0});
  }
  template <int K, class Mask>
  [[nodiscard]] VecOf<T> vector(std::size_t i, const Mask& mask) const {
    return load(residual + i) + mask.template select<K>(in_register(load(x + i)) * scales);
  }
};

template <class T, class A>
void residual_dropout(const MaskSource& source, A scale, const Shape2D& shape, const T* x,
                      const T* residual, std::size_t ld_residual, T* y, std::uint8_t* bits_out) {
  apply_mask(source, shape, bits_out, y,
             [=](std::size_t row, std::size_t col, std::size_t n, const std::uint8_t* bits,
                 std::size_t position) {
               const ResidualBody<T, A> body{scale, x + row * shape.ld_in + col,
                                             residual + row * ld_residual + col};
               apply_masked(y + row * shape.ld_out + col, n, bits, position, shape.streaming, body);
             });
}

template <bool HasBias, class T, class A>
struct BiasReluBody {
  A scale;
  const T *x, *bias;
  VecOf<T> scales = VecOf<T>(scale);

  [[nodiscard]] A element(std::size_t i, bool kept) const {
    A z = to_arithmetic(x[i]);
    if constexpr (HasBias) z = z + to_arithmetic(bias[i]);
    return kept && !(z <= 0) ? z * scale : A{0};
  }
  template <int K, class Mask>
  [[nodiscard]] VecOf<T> vector(std::size_t i, const Mask& mask) const {
    VecOf<T> z = load(x + i);
    if constexpr (HasBias) z = z + load(bias + i);
    return mask.template select<K>(relu_times(z, scales));
  }
};

template <class T, class A>
void bias_relu_dropout(const MaskSource& source, A scale, const Shape2D& shape, const T* x,
                       const T* bias, T* y, std::uint8_t* bits_out) {
  apply_mask(source, shape, bits_out, y,
             [=](std::size_t row, std::size_t col, std::size_t n, const std::uint8_t* bits,
                 std::size_t position) {
               const T* in = x + row * shape.ld_in + col;
               T* out = y + row * shape.ld_out + col;
               if (bias != nullptr) {
                 const BiasReluBody<true, T, A> body{scale, in, bias + col};
                 apply_masked(out, n, bits, position, shape.streaming, body);
               } else {
                 const BiasReluBody<false, T, A> body{scale, in, nullptr};
                 apply_masked(out, n, bits, position, shape.streaming, body);
               }
             });
}

template <class T, class A>
struct ReluBackwardBody {
  A scale;
  const T *y, *dy;
  VecOf<T> scales = VecOf<T>(scale);

  [[nodiscard]] A element(std::size_t i) const {
    if constexpr (sizeof(T) < sizeof(A)) {  // a branch costs less than a conversion
      return to_arithmetic(y[i]) > 0 ? to_arithmetic(dy[i]) * scale : A{0};
    } else {
      const A passed = dy[i] * scale;
      return y[i] > 0 ? passed : A{0};
    }
  }
  [[nodiscard]] VecOf<T> vector(std::size_t i) const {
    return select_gt_zero(load(y + i), in_register(load(dy + i)) * scales);
  }
};

template <class T, class A>
void relu_dropout_backward(A scale, const Shape2D& shape, const T* y, const T* dy,
                           std::size_t ld_dy, T* dx) {
  for (std::size_t row = 0; row < shape.rows; ++row) {
    const ReluBackwardBody<T, A> body{scale, y + row * shape.ld_in, dy + row * ld_dy};
    apply_unmasked(dx + row * shape.ld_out, shape.cols, shape.streaming, body);
  }
  if (shape.streaming) stream_fence();
}

template <class T, class A>
constexpr ElementwiseKernels<T, A> elementwise_kernels() {
  return {.dropout = dropout<T, A>,
          .residual_dropout = residual_dropout<T, A>,
          .bias_relu_dropout = bias_relu_dropout<T, A>,
          .relu_dropout_backward = relu_dropout_backward<T, A>};
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
