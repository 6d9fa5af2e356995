#include "simdrop/c/optimizer.h"

#include <cstddef>
#include <memory>

#include "c_api/catch_exceptions.h"
#include "c_api/config_members.h"
#include "c_api/handles.h"

using namespace simdrop::c_api;  // NOLINT(google-build-using-namespace): C functions have none

template <>
inline constexpr std::size_t simdrop::c_api::first_size<simdrop_optimizer_config> =
    offsetof(simdrop_optimizer_config, nesterov) + sizeof(simdrop_optimizer_config::nesterov);

namespace {

simdrop_optimizer_config config_of(const simdrop::OptimizerConfig& c) {
  simdrop_optimizer_config config{};
  config.struct_size = sizeof(config);
  simdrop::detail::visit_optimizer_fields(to_c, c, config);
  return config;
}

simdrop::OptimizerConfig config_of(const simdrop_optimizer_config& c) {
  simdrop::OptimizerConfig config;
  const double default_epsilon = config.epsilon;
  simdrop::detail::visit_optimizer_fields(from_c, config, c);
  if (config.epsilon == 0.0) config.epsilon = default_epsilon;
  return config;
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
