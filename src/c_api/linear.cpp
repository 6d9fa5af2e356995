#include "simdrop/c/linear.h"

#include "c_api/arguments.h"
#include "c_api/catch_exceptions.h"
#include "c_api/exec.h"
#include "simdrop/linear.hpp"

using namespace simdrop::c_api;  // NOLINT(google-build-using-namespace): C functions have none

struct simdrop_linear_workspace {  // NOLINT(readability-identifier-naming): the C API's name
  simdrop::LinearWorkspace workspace;
};

namespace {

template <class Fn>
void with_type(simdrop_dtype dtype, Fn&& fn) {
  switch (dtype) {
    case SIMDROP_F32:
      return fn(float{});
    case SIMDROP_F64:
      return fn(double{});
    default:
      simdrop::detail::throw_invalid("dtype", dtype, "0 (F32) or 1 (F64)");
  }
}

struct Sizes {
  std::size_t batch, in, out;
  Sizes(int64_t batch_, int64_t in_, int64_t out_)
      : batch(count_of(batch_, "batch")), in(count_of(in_, "in")), out(count_of(out_, "out")) {}
};

simdrop::LinearWorkspace& workspace_of(simdrop_linear_workspace* workspace) {
  check_not_null(workspace, "workspace");
  return workspace->workspace;
}

}  // namespace

simdrop_status simdrop_linear_workspace_create(simdrop_linear_workspace** workspace,
                                               simdrop_error* error) {
  return catch_exceptions(error, [&] {
    check_not_null(workspace, "workspace");
    *workspace = new simdrop_linear_workspace;
  });
}

void simdrop_linear_workspace_destroy(simdrop_linear_workspace* workspace) {
  delete workspace;
}

int64_t simdrop_linear_workspace_bytes(const simdrop_linear_workspace* workspace) {
  return workspace == nullptr ? 0 : static_cast<int64_t>(workspace->workspace.bytes());
}

simdrop_status simdrop_linear_forward(simdrop_dtype dtype, int64_t batch, int64_t in, int64_t out,
                                      const void* x, int64_t x_ld, const void* weights,
                                      int64_t weights_ld, const void* bias,
                                      simdrop_activation activation, const simdrop_dropout* dropout,
                                      void* y, int64_t y_ld, uint8_t* mask,
                                      simdrop_linear_workspace* workspace, const simdrop_exec* exec,
                                      simdrop_error* error) {
  return catch_exceptions(error, [&] {
    const Sizes s(batch, in, out);
    const Exec run(exec);
    const simdrop::Dropout kept = dropout == nullptr ? simdrop::Dropout{} : dropout_of(dropout);
    with_type(dtype, [&]<class T>(T) {
      simdrop::linear_forward(
          matrix_of<T>(x, s.batch, s.in, x_ld, "x_ld"),
          matrix_of<T>(weights, s.out, s.in, weights_ld, "weights_ld"),
          optional_array(static_cast<const T*>(bias), s.out),
          static_cast<simdrop::Activation>(activation), kept,
          matrix_of<T>(y, s.batch, s.out, y_ld, "y_ld"), workspace_of(workspace),
          optional_array(mask, simdrop::mask_bytes(s.batch * s.out)), run.threads());
    });
  });
}

simdrop_status simdrop_linear_backward_input(simdrop_dtype dtype, int64_t batch, int64_t in,
                                             int64_t out, const void* dy, int64_t dy_ld,
                                             const void* weights, int64_t weights_ld,
                                             const void* stored, int64_t stored_ld,
                                             double keep_prob, void* dx, int64_t dx_ld,
                                             simdrop_linear_workspace* workspace,
                                             const simdrop_exec* exec, simdrop_error* error) {
  return catch_exceptions(error, [&] {
    const Sizes s(batch, in, out);
    const Exec run(exec);
    with_type(dtype, [&]<class T>(T) {
      const auto given = matrix_of<T>(stored, s.batch, s.in, stored_ld, "stored_ld");
      simdrop::linear_backward_input(matrix_of<T>(dy, s.batch, s.out, dy_ld, "dy_ld"),
                                     matrix_of<T>(weights, s.out, s.in, weights_ld, "weights_ld"),
                                     stored == nullptr ? simdrop::MatrixView<const T>{} : given,
                                     keep_prob, matrix_of<T>(dx, s.batch, s.in, dx_ld, "dx_ld"),
                                     workspace_of(workspace), run.threads());
    });
  });
}

simdrop_status simdrop_linear_backward_weights(simdrop_dtype dtype, int64_t batch, int64_t in,
                                               int64_t out, const void* dy, int64_t dy_ld,
                                               const void* x, int64_t x_ld, double alpha,
                                               int32_t accumulate, void* dw, int64_t dw_ld,
                                               void* db, simdrop_linear_workspace* workspace,
                                               const simdrop_exec* exec, simdrop_error* error) {
  return catch_exceptions(error, [&] {
    const Sizes s(batch, in, out);
    const Exec run(exec);
    with_type(dtype, [&]<class T>(T) {
      simdrop::linear_backward_weights(
          matrix_of<T>(dy, s.batch, s.out, dy_ld, "dy_ld"),
          matrix_of<T>(x, s.batch, s.in, x_ld, "x_ld"), alpha, accumulate != 0,
          matrix_of<T>(dw, s.out, s.in, dw_ld, "dw_ld"), optional_array(static_cast<T*>(db), s.out),
          workspace_of(workspace), run.threads());
    });
  });
}
