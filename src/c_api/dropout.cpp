#include "simdrop/c/dropout.h"

#include "c_api/arguments.h"
#include "c_api/catch_exceptions.h"
#include "c_api/exec.h"
#include "simdrop/dropout.hpp"

using namespace simdrop::c_api;  // NOLINT(google-build-using-namespace): C functions have none

namespace {

using simdrop::mask_bytes;

// Calls fn with an element of the type.
template <class Fn>
void with_type(simdrop_dtype dtype, Fn&& fn) {
  switch (dtype) {
    case SIMDROP_F32:
      return fn(float{});
    case SIMDROP_F64:
      return fn(double{});
    case SIMDROP_BF16:
      return fn(simdrop::bfloat16{});
    case SIMDROP_F16:
      return fn(simdrop::float16{});
    default:
      simdrop::detail::throw_invalid("dtype", dtype, "0 (F32), 1 (F64), 2 (BF16) or 3 (F16)");
  }
}

struct Shape {
  std::size_t rows, cols;
  Shape(int64_t rows_, int64_t cols_)
      : rows(count_of(rows_, "rows")), cols(count_of(cols_, "cols")) {}
  // May wrap: the C++ functions check matrices before masks.
  [[nodiscard]] std::size_t mask_size() const { return mask_bytes(rows * cols); }
};

template <class T>
std::span<const T> bias_of(const void* bias, const Shape& shape) {
  return optional_array(static_cast<const T*>(bias), shape.cols);
}

// Bits that are read: there, as far as the shape is one.
std::span<const std::uint8_t> given_mask(const uint8_t* mask, const Shape& shape) {
  if (shape.rows != 0 && shape.cols != 0) check_not_null(mask, "mask");
  return {mask, shape.mask_size()};
}

}  // namespace

simdrop_status simdrop_dropout_forward(const simdrop_dropout* dropout, simdrop_dtype dtype,
                                       int64_t rows, int64_t cols, const void* x, int64_t x_ld,
                                       void* y, int64_t y_ld, uint8_t* mask,
                                       const simdrop_exec* exec, simdrop_error* error) {
  return catch_exceptions(error, [&] {
    const Shape s(rows, cols);
    const Exec run(exec);
    with_type(dtype, [&]<class T>(T) {
      simdrop::dropout_forward(dropout_of(dropout), matrix_of<T>(x, s.rows, s.cols, x_ld, "x_ld"),
                               matrix_of<T>(y, s.rows, s.cols, y_ld, "y_ld"),
                               optional_array(mask, s.mask_size()), run.threads(), run.stores());
    });
  });
}

simdrop_status simdrop_dropout_backward(const simdrop_dropout* dropout, simdrop_dtype dtype,
                                        int64_t rows, int64_t cols, const void* dy, int64_t dy_ld,
                                        void* dx, int64_t dx_ld, const simdrop_exec* exec,
                                        simdrop_error* error) {
  return catch_exceptions(error, [&] {
    const Shape s(rows, cols);
    const Exec run(exec);
    with_type(dtype, [&]<class T>(T) {
      simdrop::dropout_backward(
          dropout_of(dropout), matrix_of<T>(dy, s.rows, s.cols, dy_ld, "dy_ld"),
          matrix_of<T>(dx, s.rows, s.cols, dx_ld, "dx_ld"), run.threads(), run.stores());
    });
  });
}

simdrop_status simdrop_dropout_backward_from_mask(double keep_prob, const uint8_t* mask,
                                                  simdrop_dtype dtype, int64_t rows, int64_t cols,
                                                  const void* dy, int64_t dy_ld, void* dx,
                                                  int64_t dx_ld, const simdrop_exec* exec,
                                                  simdrop_error* error) {
  return catch_exceptions(error, [&] {
    const Shape s(rows, cols);
    const Exec run(exec);
    with_type(dtype, [&]<class T>(T) {
      simdrop::dropout_backward(
          keep_prob, given_mask(mask, s), matrix_of<T>(dy, s.rows, s.cols, dy_ld, "dy_ld"),
          matrix_of<T>(dx, s.rows, s.cols, dx_ld, "dx_ld"), run.threads(), run.stores());
    });
  });
}

simdrop_status simdrop_residual_dropout_forward(const simdrop_dropout* dropout, simdrop_dtype dtype,
                                                int64_t rows, int64_t cols, const void* x,
                                                int64_t x_ld, const void* residual,
                                                int64_t residual_ld, void* y, int64_t y_ld,
                                                uint8_t* mask, const simdrop_exec* exec,
                                                simdrop_error* error) {
  return catch_exceptions(error, [&] {
    const Shape s(rows, cols);
    const Exec run(exec);
    with_type(dtype, [&]<class T>(T) {
      simdrop::residual_dropout_forward(
          dropout_of(dropout), matrix_of<T>(x, s.rows, s.cols, x_ld, "x_ld"),
          matrix_of<T>(residual, s.rows, s.cols, residual_ld, "residual_ld"),
          matrix_of<T>(y, s.rows, s.cols, y_ld, "y_ld"), optional_array(mask, s.mask_size()),
          run.threads(), run.stores());
    });
  });
}

simdrop_status simdrop_residual_dropout_forward_from_mask(
    double keep_prob, const uint8_t* mask, simdrop_dtype dtype, int64_t rows, int64_t cols,
    const void* x, int64_t x_ld, const void* residual, int64_t residual_ld, void* y, int64_t y_ld,
    const simdrop_exec* exec, simdrop_error* error) {
  return catch_exceptions(error, [&] {
    const Shape s(rows, cols);
    const Exec run(exec);
    with_type(dtype, [&]<class T>(T) {
      simdrop::residual_dropout_forward(
          keep_prob, given_mask(mask, s), matrix_of<T>(x, s.rows, s.cols, x_ld, "x_ld"),
          matrix_of<T>(residual, s.rows, s.cols, residual_ld, "residual_ld"),
          matrix_of<T>(y, s.rows, s.cols, y_ld, "y_ld"), run.threads(), run.stores());
    });
  });
}

simdrop_status simdrop_bias_relu_dropout_forward(const simdrop_dropout* dropout,
                                                 simdrop_dtype dtype, int64_t rows, int64_t cols,
                                                 const void* x, int64_t x_ld, const void* bias,
                                                 void* y, int64_t y_ld, uint8_t* mask,
                                                 const simdrop_exec* exec, simdrop_error* error) {
  return catch_exceptions(error, [&] {
    const Shape s(rows, cols);
    const Exec run(exec);
    with_type(dtype, [&]<class T>(T) {
      simdrop::bias_relu_dropout_forward(
          dropout_of(dropout), matrix_of<T>(x, s.rows, s.cols, x_ld, "x_ld"), bias_of<T>(bias, s),
          matrix_of<T>(y, s.rows, s.cols, y_ld, "y_ld"), optional_array(mask, s.mask_size()),
          run.threads(), run.stores());
    });
  });
}

simdrop_status simdrop_bias_relu_dropout_forward_from_mask(double keep_prob, const uint8_t* mask,
                                                           simdrop_dtype dtype, int64_t rows,
                                                           int64_t cols, const void* x,
                                                           int64_t x_ld, const void* bias, void* y,
                                                           int64_t y_ld, const simdrop_exec* exec,
                                                           simdrop_error* error) {
  return catch_exceptions(error, [&] {
    const Shape s(rows, cols);
    const Exec run(exec);
    with_type(dtype, [&]<class T>(T) {
      simdrop::bias_relu_dropout_forward(
          keep_prob, given_mask(mask, s), matrix_of<T>(x, s.rows, s.cols, x_ld, "x_ld"),
          bias_of<T>(bias, s), matrix_of<T>(y, s.rows, s.cols, y_ld, "y_ld"), run.threads(),
          run.stores());
    });
  });
}

simdrop_status simdrop_relu_dropout_backward(double keep_prob, simdrop_dtype dtype, int64_t rows,
                                             int64_t cols, const void* y, int64_t y_ld,
                                             const void* dy, int64_t dy_ld, void* dx, int64_t dx_ld,
                                             const simdrop_exec* exec, simdrop_error* error) {
  return catch_exceptions(error, [&] {
    const Shape s(rows, cols);
    const Exec run(exec);
    with_type(dtype, [&]<class T>(T) {
      simdrop::relu_dropout_backward(keep_prob, matrix_of<T>(y, s.rows, s.cols, y_ld, "y_ld"),
                                     matrix_of<T>(dy, s.rows, s.cols, dy_ld, "dy_ld"),
                                     matrix_of<T>(dx, s.rows, s.cols, dx_ld, "dx_ld"),
                                     run.threads(), run.stores());
    });
  });
}
