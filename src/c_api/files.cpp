#include "simdrop/c/files.h"

#include <memory>
#include <utility>

#include "c_api/catch_exceptions.h"
#include "c_api/handles.h"
#include "c_api/mlp_config.h"
#include "c_api/structs.h"
#include "simdrop/checkpoint.hpp"

using namespace simdrop::c_api;  // NOLINT(google-build-using-namespace): C functions have none

namespace {

constexpr simdrop_mlp_save_args no_args = {
    sizeof(simdrop_mlp_save_args),
    nullptr,  // optimizer
    1,        // sync
    0         // reserved
};

void save(const char* path, const simdrop_mlp* mlp, const simdrop_mlp_save_args& args) {
  check_not_null(path, "path");
  simdrop::detail::check_argument(args.reserved == 0, "args->reserved", args.reserved, "0");
  simdrop::SaveOptions options;
  if (args.optimizer != nullptr) options.optimizer = &args.optimizer->optimizer;
  options.sync = args.sync != 0;
  simdrop::save_checkpoint(path, mlp_of(mlp), options);
}

}  // namespace

simdrop_status simdrop_mlp_save(const char* path, const simdrop_mlp* mlp,
                                const simdrop_optimizer* optimizer, simdrop_error* error) {
  return catch_exceptions(error, [&] {
    simdrop_mlp_save_args args = no_args;
    args.optimizer = optimizer;
    save(path, mlp, args);
  });
}

simdrop_status simdrop_mlp_save_args_init(simdrop_mlp_save_args* args, size_t struct_size,
                                          simdrop_error* error) {
  return catch_exceptions(error, [&] { write_struct(args, struct_size, no_args, "args"); });
}

simdrop_status simdrop_mlp_save_run(const char* path, const simdrop_mlp* mlp,
                                    const simdrop_mlp_save_args* args, simdrop_error* error) {
  return catch_exceptions(error, [&] { save(path, mlp, read_struct(args, no_args, "args")); });
}

simdrop_status simdrop_mlp_load(const char* path, const simdrop_mlp_config* defaults,
                                simdrop_mlp** mlp, simdrop_optimizer** optimizer,
                                simdrop_error* error) {
  return catch_exceptions(error, [&] {
    check_not_null(path, "path");
    check_not_null(mlp, "mlp");
    simdrop_mlp_config given = read_struct(defaults, mlp_defaults(), "defaults");
    given.num_widths = 0;  // the file's
    auto executor = executor_of(given);
    simdrop::Checkpoint file = simdrop::load_checkpoint(path, mlp_config_of(given, executor.get()));
    std::unique_ptr<simdrop_optimizer> state;
    if (optimizer != nullptr && file.optimizer.has_value()) {
      state = std::make_unique<simdrop_optimizer>(std::move(*file.optimizer));
    }
    *mlp = new simdrop_mlp(std::move(executor), std::move(file.mlp));
    if (optimizer != nullptr) *optimizer = state.release();
  });
}
