// The network's computations.
#include "c_api/catch_exceptions.h"
#include "c_api/exec.h"
#include "c_api/handles.h"
#include "c_api/mlp_arguments.h"
#include "simdrop/c/mlp.h"

using namespace simdrop::c_api;  // NOLINT(google-build-using-namespace): C functions have none

namespace {

constexpr simdrop_targets no_targets = {sizeof(simdrop_targets), nullptr, nullptr, 0};

// Targets of as many rows as there are: the kind that the loss needs is checked behind this.
simdrop::Targets targets_of(const simdrop_targets* given, std::size_t rows, std::size_t outputs) {
  const simdrop_targets t = read_struct(given, no_targets, "targets");
  simdrop::detail::check_argument((t.labels == nullptr) != (t.values == nullptr), "targets",
                                  t.labels == nullptr ? "neither" : "both",
                                  "labels or values, the other NULL");
  if (t.labels != nullptr) return std::span(t.labels, rows);
  const std::size_t ld = count_of(t.values_ld, "values_ld");
  return simdrop::ConstMatrix(t.values, rows, outputs, ld == 0 ? outputs : ld);
}

void put(double* place, double value) {
  if (place != nullptr) *place = value;
}

}  // namespace

simdrop_status simdrop_mlp_forward(simdrop_mlp* mlp, int64_t rows, const float* x, int64_t x_ld,
                                   uint64_t step, uint64_t first_row, const simdrop_exec* exec,
                                   simdrop_error* error) {
  return catch_exceptions(error, [&] {
    simdrop::Mlp& network = mlp_of(mlp);
    const Exec run(exec);
    network.forward(matrix(x, rows, inputs_of(network), x_ld, "x_ld"), step, first_row,
                    run.override_threads());
  });
}

simdrop_status simdrop_mlp_backward(simdrop_mlp* mlp, const simdrop_targets* targets, double* loss,
                                    const simdrop_exec* exec, simdrop_error* error) {
  return catch_exceptions(error, [&] {
    simdrop::Mlp& network = mlp_of(mlp);
    const Exec run(exec);
    const std::size_t rows = network.a(network.num_layers()).rows;
    put(loss,
        network.backward(targets_of(targets, rows, outputs_of(network)), run.override_threads()));
  });
}

simdrop_status simdrop_mlp_train_step(simdrop_mlp* mlp, int64_t rows, const float* x, int64_t x_ld,
                                      const simdrop_targets* targets, simdrop_optimizer* optimizer,
                                      uint64_t first_row, double* loss, const simdrop_exec* exec,
                                      simdrop_error* error) {
  return catch_exceptions(error, [&] {
    simdrop::Mlp& network = mlp_of(mlp);
    const Exec run(exec);
    const simdrop::ConstMatrix in = matrix(x, rows, inputs_of(network), x_ld, "x_ld");
    put(loss, network.train_step(in, targets_of(targets, in.rows, outputs_of(network)),
                                 optimizer_of(optimizer), first_row, run.override_threads()));
  });
}

simdrop_status simdrop_mlp_predict(simdrop_mlp* mlp, int64_t rows, const float* x, int64_t x_ld,
                                   float* out, int64_t out_ld, const simdrop_exec* exec,
                                   simdrop_error* error) {
  return catch_exceptions(error, [&] {
    simdrop::Mlp& network = mlp_of(mlp);
    const Exec run(exec);
    network.predict(matrix(x, rows, inputs_of(network), x_ld, "x_ld"),
                    matrix(out, rows, outputs_of(network), out_ld, "out_ld"),
                    run.override_threads());
  });
}

simdrop_status simdrop_mlp_predict_monte_carlo(simdrop_mlp* mlp, int64_t rows, const float* x,
                                               int64_t x_ld, int64_t samples, uint64_t first_sample,
                                               uint64_t first_row, float* mean, int64_t mean_ld,
                                               float* variance, int64_t variance_ld,
                                               const simdrop_exec* exec, simdrop_error* error) {
  return catch_exceptions(error, [&] {
    simdrop::Mlp& network = mlp_of(mlp);
    const Exec run(exec);
    const std::size_t outputs = outputs_of(network);
    network.predict_monte_carlo(matrix(x, rows, inputs_of(network), x_ld, "x_ld"),
                                count_of(samples, "samples"),
                                matrix(mean, rows, outputs, mean_ld, "mean_ld"),
                                matrix(variance, rows, outputs, variance_ld, "variance_ld"),
                                first_sample, first_row, run.override_threads());
  });
}

simdrop_status simdrop_mlp_loss(const simdrop_mlp* mlp, int64_t rows, const float* predictions,
                                int64_t predictions_ld, const simdrop_targets* targets,
                                double* loss, simdrop_error* error) {
  return catch_exceptions(error, [&] {
    const simdrop::Mlp& network = mlp_of(mlp);
    check_not_null(loss, "loss");
    const simdrop::ConstMatrix a =
        matrix(predictions, rows, outputs_of(network), predictions_ld, "predictions_ld");
    *loss = network.loss_of(a, targets_of(targets, a.rows, a.cols));
  });
}
