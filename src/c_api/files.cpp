#include "simdrop/c/files.h"

#include <memory>
#include <utility>

#include "c_api/catch_exceptions.h"
#include "c_api/handles.h"
#include "c_api/mlp_config.h"
#include "simdrop/checkpoint.hpp"

using namespace simdrop::c_api;  // NOLINT(google-build-using-namespace): C functions have none

simdrop_status simdrop_mlp_save(const char* path, const simdrop_mlp* mlp,
                                const simdrop_optimizer* optimizer, simdrop_error* error) {
  return catch_exceptions(error, [&] {
    check_not_null(path, "path");
    simdrop::save_checkpoint(path, mlp_of(mlp),
                             optimizer == nullptr ? nullptr : &optimizer->optimizer);
  });
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
