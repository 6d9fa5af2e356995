// What the pointers of the C API point to.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "c_api/exec.h"
#include "c_api/structs.h"
#include "simdrop/c/optimizer.h"
#include "simdrop/mlp.hpp"
#include "simdrop/optimizer.hpp"

// NOLINTBEGIN(readability-identifier-naming): the C API's names
struct simdrop_mlp {
  std::unique_ptr<simdrop::c_api::CExecutor> executor;  // the network's default, or null
  simdrop::Mlp mlp;
  std::vector<std::int64_t> widths;  // what simdrop_mlp_get_config() points to

  simdrop_mlp(std::unique_ptr<simdrop::c_api::CExecutor> executor_, simdrop::Mlp mlp_)
      : executor(std::move(executor_)),
        mlp(std::move(mlp_)),
        widths(mlp.config().widths.begin(), mlp.config().widths.end()) {}
};

struct simdrop_optimizer {
  simdrop::Optimizer optimizer;

  explicit simdrop_optimizer(simdrop::Optimizer optimizer_) : optimizer(std::move(optimizer_)) {}
};
// NOLINTEND(readability-identifier-naming)

namespace simdrop::c_api {

inline Mlp& mlp_of(simdrop_mlp* mlp) {
  check_not_null(mlp, "mlp");
  return mlp->mlp;
}
inline const Mlp& mlp_of(const simdrop_mlp* mlp) {
  check_not_null(mlp, "mlp");
  return mlp->mlp;
}
inline Optimizer& optimizer_of(simdrop_optimizer* optimizer) {
  check_not_null(optimizer, "optimizer");
  return optimizer->optimizer;
}
inline const Optimizer& optimizer_of(const simdrop_optimizer* optimizer) {
  check_not_null(optimizer, "optimizer");
  return optimizer->optimizer;
}

}  // namespace simdrop::c_api
