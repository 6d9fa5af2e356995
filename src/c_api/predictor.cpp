#include "simdrop/c/predictor.h"

#include <memory>
#include <utility>

#include "c_api/catch_exceptions.h"
#include "c_api/exec.h"
#include "c_api/handles.h"
#include "c_api/mlp_arguments.h"
#include "simdrop/predictor.hpp"

using namespace simdrop::c_api;  // NOLINT(google-build-using-namespace): C functions have none

struct simdrop_predictor {     // NOLINT(readability-identifier-naming): the C API's name
  std::unique_ptr<Exec> exec;  // its executor is the predictor's
  const simdrop::Mlp& mlp;
  simdrop::Predictor predictor;
};

namespace {

simdrop_predictor& checked(simdrop_predictor* predictor) {
  check_not_null(predictor, "predictor");
  return *predictor;
}

}  // namespace

simdrop_status simdrop_predictor_create(const simdrop_mlp* mlp, int64_t max_batch,
                                        const simdrop_exec* exec, simdrop_predictor** predictor,
                                        simdrop_error* error) {
  return catch_exceptions(error, [&] {
    check_not_null(predictor, "predictor");
    const simdrop::Mlp& network = mlp_of(mlp);
    auto run = std::make_unique<Exec>(exec);
    simdrop::Predictor created(network, count_of(max_batch, "max_batch"), run->threads());
    *predictor = new simdrop_predictor{std::move(run), network, std::move(created)};
  });
}

void simdrop_predictor_destroy(simdrop_predictor* predictor) {
  delete predictor;
}

simdrop_status simdrop_predictor_predict(simdrop_predictor* predictor, int64_t rows, const float* x,
                                         int64_t x_ld, float* out, int64_t out_ld,
                                         const simdrop_exec* exec, simdrop_error* error) {
  return catch_exceptions(error, [&] {
    simdrop_predictor& p = checked(predictor);
    const Exec run(exec);
    p.predictor.predict(matrix(x, rows, inputs_of(p.mlp), x_ld, "x_ld"),
                        matrix(out, rows, outputs_of(p.mlp), out_ld, "out_ld"),
                        run.override_threads());
  });
}

simdrop_status simdrop_predictor_predict_monte_carlo(simdrop_predictor* predictor, int64_t rows,
                                                     const float* x, int64_t x_ld, int64_t samples,
                                                     uint64_t first_sample, uint64_t first_row,
                                                     float* mean, int64_t mean_ld, float* variance,
                                                     int64_t variance_ld, const simdrop_exec* exec,
                                                     simdrop_error* error) {
  return catch_exceptions(error, [&] {
    simdrop_predictor& p = checked(predictor);
    const Exec run(exec);
    const std::size_t outputs = outputs_of(p.mlp);
    p.predictor.predict_monte_carlo(matrix(x, rows, inputs_of(p.mlp), x_ld, "x_ld"),
                                    count_of(samples, "samples"),
                                    matrix(mean, rows, outputs, mean_ld, "mean_ld"),
                                    matrix(variance, rows, outputs, variance_ld, "variance_ld"),
                                    first_sample, first_row, run.override_threads());
  });
}
