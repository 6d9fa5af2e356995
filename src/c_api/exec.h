// simdrop_exec and simdrop_executor, as the C++ API takes them.
#pragma once

#include <optional>

#include "base/check.h"
#include "c_api/structs.h"
#include "simdrop/c/base.h"
#include "simdrop/dropout.hpp"
#include "simdrop/threads.hpp"

namespace simdrop::c_api {

inline constexpr simdrop_exec exec_defaults = {sizeof(simdrop_exec), nullptr, 1,
                                               SIMDROP_STORES_AUTOMATIC};

// An application's executor, behind C functions.
class CExecutor final : public Executor {
 public:
  explicit CExecutor(const simdrop_executor* given);
  [[nodiscard]] int max_concurrency() const noexcept override { return executor_.max_concurrency; }
  void parallel_for(std::size_t count, Task task, void* context) override;
  [[nodiscard]] const simdrop_executor& given() const noexcept { return executor_; }

 private:
  simdrop_executor executor_;
};

class Exec {
 public:
  // Null: the defaults. Checked here, also where a call does not use it.
  explicit Exec(const simdrop_exec* given) {
    if (given == nullptr) return;
    const simdrop_exec exec = read_struct(given, exec_defaults, "exec");
    detail::check_argument(exec.num_threads >= 0, "exec->num_threads", exec.num_threads, ">= 0");
    detail::check_argument(
        exec.stores >= SIMDROP_STORES_AUTOMATIC && exec.stores <= SIMDROP_STORES_STREAMING,
        "exec->stores", exec.stores, "0 (automatic), 1 (cached) or 2 (streaming)");
    threads_.count = exec.num_threads;
    stores_ = static_cast<Stores>(exec.stores);
    if (exec.executor != nullptr) threads_.executor = &executor_.emplace(exec.executor);
    given_ = true;
  }
  Exec(const Exec&) = delete;
  Exec& operator=(const Exec&) = delete;

  [[nodiscard]] Threads threads() const { return threads_; }
  [[nodiscard]] Stores stores() const { return stores_; }
  // Nothing: what the object was created with.
  [[nodiscard]] std::optional<Threads> override_threads() const {
    return given_ ? std::optional(threads_) : std::nullopt;
  }

 private:
  Threads threads_;
  Stores stores_ = Stores::automatic;
  std::optional<CExecutor> executor_;
  bool given_ = false;
};

}  // namespace simdrop::c_api
