#include "simdrop/c/files.h"

#include <memory>
#include <utility>

#include "base/check.h"
#include "c_api/catch_exceptions.h"
#include "c_api/handles.h"
#include "c_api/mlp_config.h"
#include "c_api/structs.h"
#include "simdrop/checkpoint.hpp"

using namespace simdrop::c_api;  // NOLINT(google-build-using-namespace): C functions have none

namespace {

constexpr simdrop_mlp_save_args save_defaults = {
    sizeof(simdrop_mlp_save_args),
    nullptr,  // optimizer
    0,        // no_sync
    0         // reserved
};

void save(const char* path, const simdrop_mlp* mlp, const simdrop_mlp_save_args& args) {
  check_not_null(path, "path");
  simdrop::detail::check_argument(args.reserved == 0, "args->reserved", args.reserved, "0");
  simdrop::SaveOptions options;
  if (args.optimizer != nullptr) options.optimizer = &args.optimizer->optimizer;
  options.sync = args.no_sync == 0;
  simdrop::save_checkpoint(path, mlp_of(mlp), options);
}

constexpr simdrop_mlp_load_args load_defaults = {sizeof(simdrop_mlp_load_args), nullptr,
                                                 SIMDROP_LOAD_ACTIVATION_NOT_GIVEN,
                                                 SIMDROP_LOAD_LOSS_NOT_GIVEN};

simdrop::LoadOptions options_of(const simdrop_mlp_load_args& args) {
  using simdrop::Loss;
  simdrop::LoadOptions options;
  simdrop::detail::check_argument(args.activation == SIMDROP_LOAD_ACTIVATION_NOT_GIVEN ||
                                      args.activation == SIMDROP_LOAD_ACTIVATION_RELU,
                                  "args->activation", args.activation,
                                  "0 (not given) or 1 (ReLU, the only one that a network has)");
  if (args.activation == SIMDROP_LOAD_ACTIVATION_RELU) {
    options.activation = simdrop::Activation::relu;
  }
  switch (args.loss) {
    case SIMDROP_LOAD_LOSS_NOT_GIVEN:
      break;
    case SIMDROP_LOAD_LOSS_SIGMOID_BCE:
      options.loss = Loss::sigmoid_bce;
      break;
    case SIMDROP_LOAD_LOSS_SOFTMAX_CE:
      options.loss = Loss::softmax_ce;
      break;
    case SIMDROP_LOAD_LOSS_IDENTITY_MSE:
      options.loss = Loss::identity_mse;
      break;
    default:
      simdrop::detail::throw_invalid(
          "args->loss", args.loss,
          "0 (not given), 101 (sigmoid_bce), 102 (softmax_ce) or 103 (identity_mse)");
  }
  return options;
}

void load(const char* path, const simdrop_mlp_config& defaults, const simdrop::LoadOptions& options,
          simdrop_mlp** mlp, simdrop_optimizer** optimizer) {
  check_not_null(path, "path");
  check_not_null(mlp, "mlp");
  simdrop_mlp_config given = defaults;
  given.num_widths = 0;  // the file's
  auto executor = executor_of(given);
  simdrop::Checkpoint file =
      simdrop::load_checkpoint(path, mlp_config_of(given, executor.get()), options);
  std::unique_ptr<simdrop_optimizer> state;
  if (optimizer != nullptr && file.optimizer.has_value()) {
    state = std::make_unique<simdrop_optimizer>(std::move(*file.optimizer));
  }
  *mlp = new simdrop_mlp(std::move(executor), std::move(file.mlp));
  if (optimizer != nullptr) *optimizer = state.release();
}

}  // namespace

simdrop_status simdrop_mlp_save(const char* path, const simdrop_mlp* mlp,
                                const simdrop_optimizer* optimizer, simdrop_error* error) {
  return catch_exceptions(error, [&] {
    simdrop_mlp_save_args args = save_defaults;
    args.optimizer = optimizer;
    save(path, mlp, args);
  });
}

simdrop_status simdrop_mlp_save_args_init(simdrop_mlp_save_args* args, size_t struct_size,
                                          simdrop_error* error) {
  return catch_exceptions(error, [&] { write_struct(args, struct_size, save_defaults, "args"); });
}

simdrop_status simdrop_mlp_save_run(const char* path, const simdrop_mlp* mlp,
                                    const simdrop_mlp_save_args* args, simdrop_error* error) {
  return catch_exceptions(error,
                          [&] { save(path, mlp, read_struct(args, save_defaults, "args")); });
}

simdrop_status simdrop_mlp_load_args_init(simdrop_mlp_load_args* args, size_t struct_size,
                                          simdrop_error* error) {
  return catch_exceptions(error, [&] { write_struct(args, struct_size, load_defaults, "args"); });
}

simdrop_status simdrop_mlp_load_run(const char* path, const simdrop_mlp_load_args* args,
                                    simdrop_mlp** mlp, simdrop_optimizer** optimizer,
                                    simdrop_error* error) {
  return catch_exceptions(error, [&] {
    const simdrop_mlp_load_args given = read_struct(args, load_defaults, "args");
    const simdrop::LoadOptions options = options_of(given);
    load(path,
         given.defaults == nullptr ? mlp_defaults()
                                   : read_struct(given.defaults, mlp_defaults(), "args->defaults"),
         options, mlp, optimizer);
  });
}

simdrop_status simdrop_mlp_load(const char* path, const simdrop_mlp_config* defaults,
                                simdrop_mlp** mlp, simdrop_optimizer** optimizer,
                                simdrop_error* error) {
  return catch_exceptions(error, [&] {
    load(path, read_struct(defaults, mlp_defaults(), "defaults"), {}, mlp, optimizer);
  });
}
