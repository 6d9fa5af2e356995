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

constexpr simdrop_linear_forward_args no_args = {
    sizeof(simdrop_linear_forward_args),
    0,                           // batch
    0,                           // in
    0,                           // out
    nullptr,                     // x
    0,                           // x_ld
    nullptr,                     // weights
    0,                           // weights_ld
    nullptr,                     // bias
    nullptr,                     // dropout
    nullptr,                     // y
    0,                           // y_ld
    nullptr,                     // mask
    nullptr,                     // workspace
    nullptr,                     // exec
    SIMDROP_F32,                 // dtype
    SIMDROP_ACTIVATION_IDENTITY  // activation
};

void forward(const simdrop_linear_forward_args& a) {
  const Sizes s(a.batch, a.in, a.out);
  const Exec run(a.exec);
  const simdrop::Dropout kept = a.dropout == nullptr ? simdrop::Dropout{} : dropout_of(a.dropout);
  with_type(a.dtype, [&]<class T>(T) {
    simdrop::linear_forward(
        matrix_of<T>(a.x, s.batch, s.in, a.x_ld, "x_ld"),
        matrix_of<T>(a.weights, s.out, s.in, a.weights_ld, "weights_ld"),
        optional_array(static_cast<const T*>(a.bias), s.out),
        static_cast<simdrop::Activation>(a.activation), kept,
        matrix_of<T>(a.y, s.batch, s.out, a.y_ld, "y_ld"), workspace_of(a.workspace),
        optional_array(a.mask, simdrop::mask_bytes(s.batch * s.out)), run.threads());
  });
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
    forward({sizeof(simdrop_linear_forward_args), batch, in, out, x, x_ld, weights, weights_ld,
             bias, dropout, y, y_ld, mask, workspace, exec, dtype, activation});
  });
}

simdrop_status simdrop_linear_forward_args_init(simdrop_linear_forward_args* args,
                                                size_t struct_size, simdrop_error* error) {
  return catch_exceptions(error, [&] { write_struct(args, struct_size, no_args, "args"); });
}

simdrop_status simdrop_linear_forward_run(const simdrop_linear_forward_args* args,
                                          simdrop_error* error) {
  return catch_exceptions(error, [&] {
    simdrop_linear_forward_args call = read_struct(args, no_args, "args");
    if (call.x_ld == 0) call.x_ld = call.in;
    if (call.weights_ld == 0) call.weights_ld = call.in;
    if (call.y_ld == 0) call.y_ld = call.out;
    forward(call);
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
