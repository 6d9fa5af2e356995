#include "simdrop/c/optimizer.h"

#include <memory>

#include "c_api/catch_exceptions.h"
#include "c_api/handles.h"

using namespace simdrop::c_api;  // NOLINT(google-build-using-namespace): C functions have none

namespace {

simdrop_optimizer_config config_of(const simdrop::OptimizerConfig& c) {
  return {sizeof(simdrop_optimizer_config),
          c.learning_rate,
          c.momentum,
          c.weight_decay,
          c.beta1,
          c.beta2,
          c.epsilon,
          c.max_norm,
          static_cast<simdrop_optimizer_kind>(c.kind),
          c.nesterov};
}

simdrop::OptimizerConfig config_of(const simdrop_optimizer_config& c) {
  simdrop::detail::check_argument(c.nesterov == 0 || c.nesterov == 1, "nesterov", c.nesterov,
                                  "0 or 1");
  return {.kind = static_cast<simdrop::OptimizerKind>(c.kind),
          .learning_rate = c.learning_rate,
          .momentum = c.momentum,
          .nesterov = c.nesterov == 1,
          .weight_decay = c.weight_decay,
          .beta1 = c.beta1,
          .beta2 = c.beta2,
          .epsilon = c.epsilon,
          .max_norm = c.max_norm};
}

}  // namespace

simdrop_status simdrop_optimizer_config_init(simdrop_optimizer_config* config, size_t struct_size,
                                             simdrop_error* error) {
  return catch_exceptions(error, [&] {
    write_struct(config, struct_size, config_of(simdrop::OptimizerConfig{}), "config");
  });
}

simdrop_status simdrop_optimizer_create(const simdrop_optimizer_config* config,
                                        const simdrop_mlp* mlp, simdrop_optimizer** optimizer,
                                        simdrop_error* error) {
  return catch_exceptions(error, [&] {
    check_not_null(optimizer, "optimizer");
    const simdrop_optimizer_config defaults = config_of(simdrop::OptimizerConfig{});
    const auto given = config_of(read_struct(config, defaults, "config"));
    simdrop::Optimizer created(given, mlp_of(mlp).parameter_sizes());
    *optimizer = new simdrop_optimizer(std::move(created));
  });
}

void simdrop_optimizer_destroy(simdrop_optimizer* optimizer) {
  delete optimizer;
}

simdrop_status simdrop_optimizer_set_learning_rate(simdrop_optimizer* optimizer,
                                                   double learning_rate, simdrop_error* error) {
  return catch_exceptions(error, [&] { optimizer_of(optimizer).set_learning_rate(learning_rate); });
}

simdrop_status simdrop_optimizer_get_config(const simdrop_optimizer* optimizer,
                                            simdrop_optimizer_config* config,
                                            simdrop_error* error) {
  return catch_exceptions(error, [&] {
    check_not_null(config, "config");
    write_struct(config, config->struct_size, config_of(optimizer_of(optimizer).config()),
                 "config");
  });
}

uint64_t simdrop_optimizer_step_count(const simdrop_optimizer* optimizer) {
  return optimizer == nullptr ? 0 : optimizer->optimizer.step_count();
}
