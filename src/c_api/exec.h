// simdrop_exec, as the C++ API takes it.
#pragma once

#include "c_api/structs.h"
#include "check.h"
#include "simdrop/c/base.h"
#include "simdrop/dropout.hpp"

namespace simdrop::c_api {

inline constexpr simdrop_exec exec_defaults = {sizeof(simdrop_exec), nullptr, 1,
                                               SIMDROP_STORES_AUTOMATIC};

class Exec {
 public:
  // Null: the defaults.
  explicit Exec(const simdrop_exec* given) {
    if (given == nullptr) return;
    const simdrop_exec exec = read_struct(given, exec_defaults, "exec");
    num_threads_ = exec.num_threads;
    stores_ = static_cast<Stores>(exec.stores);
  }
  [[nodiscard]] int threads() const { return num_threads_; }
  [[nodiscard]] Stores stores() const { return stores_; }

 private:
  int num_threads_ = 1;
  Stores stores_ = Stores::automatic;
};

}  // namespace simdrop::c_api
