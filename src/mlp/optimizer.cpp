#include "simdrop/optimizer.hpp"

#include <new>
#include <string>
#include <utility>

#include "base/check.h"
#include "base/float_environment.h"
#include "base/matrix_check.h"
#include "dispatch/dispatch.h"
#include "mlp/checkpoint_access.h"
#include "mlp/config.h"
#include "mlp/optimizer_access.h"
#include "simdrop/mlp.hpp"
#include "threading/parallel.h"

namespace simdrop {
namespace {

using detail::check_argument;
using detail::KernelTable;
using detail::throw_invalid;

// About ten microseconds of memory traffic; a multiple of a cache line.
constexpr std::size_t grain = 16384;

// Builds its text only when it throws: a step allocates nothing.
void check_length(const char* name, std::size_t length, std::size_t index, std::size_t size) {
  if (length == size) return;
  detail::throw_invalid(name, length,
                        "sizes[" + std::to_string(index) + "] = " + std::to_string(size));
}

void check_row_length(std::size_t row_length, std::size_t size) {
  if (row_length == 0 || size % row_length == 0) return;
  detail::throw_invalid("row_length", row_length,
                        "0 or a divisor of weights.size() = " + std::to_string(size));
}

}  // namespace

detail::OptimizerAccess::OptimizerAccess(Optimizer& optimizer_)
    : optimizer(optimizer_),
      update(optimizer_.config_.kind == OptimizerKind::sgd ? Update::sgd : Update::adam),
      step{sgd_params(optimizer_.config_), adam_params(optimizer_.config_, optimizer_.step_),
           optimizer_.config_.max_norm, false} {}

detail::GradientTarget<float> detail::OptimizerAccess::target(std::size_t index, float* parameters,
                                                              std::size_t ld) const noexcept {
  const auto data = [](std::vector<float>& state) {
    return state.empty() ? nullptr : state.data();
  };
  return {parameters, data(optimizer.first_[index]), data(optimizer.second_[index]), ld};
}

std::span<float> detail::optimizer_state(Optimizer& optimizer, std::size_t which,
                                         std::size_t index) {
  return OptimizerAccess::state(optimizer, which, index);
}

std::span<const float> detail::optimizer_state(const Optimizer& optimizer, std::size_t which,
                                               std::size_t index) {
  return OptimizerAccess::state(optimizer, which, index);
}

void detail::set_step_count(Optimizer& optimizer, std::uint64_t step) {
  OptimizerAccess::set_step_count(optimizer, step);
}

Optimizer::Optimizer(const OptimizerConfig& config, std::vector<std::size_t> sizes)
    : config_(detail::checked_config(config)),
      sizes_(std::move(sizes)),
      first_(sizes_.size()),
      second_(sizes_.size()) {
  const detail::DefaultFloats floats;
  const bool adaptive = config_.kind != OptimizerKind::sgd;
  for (std::size_t i = 0; i < sizes_.size(); ++i) {
    if (sizes_[i] > first_[i].max_size()) throw std::bad_alloc();
    if (adaptive || config_.momentum > 0.0) first_[i].resize(sizes_[i]);
    if (adaptive) second_[i].resize(sizes_[i]);
  }
}

Optimizer::Optimizer(const OptimizerConfig& config, const Mlp& mlp)
    : Optimizer(config, mlp.parameter_sizes()) {}

void Optimizer::set_learning_rate(double learning_rate) {
  OptimizerConfig changed = config_;
  changed.learning_rate = learning_rate;
  config_ = detail::checked_config(changed);
}

void Optimizer::check_update(std::size_t index, std::size_t weights, std::size_t gradient,
                             Threads threads, std::size_t row_length) const {
  if (index >= sizes_.size()) {
    throw_invalid("index", index,
                  "less than the number of parameter arrays, " + std::to_string(sizes_.size()));
  }
  check_length("weights.size()", weights, index, sizes_[index]);
  check_length("gradient.size()", gradient, index, sizes_[index]);
  detail::check_threads(threads);
  check_row_length(row_length, weights);
  check_argument(step_ > 0, "step_count()", step_, ">= 1: call begin_step() first");
}

void Optimizer::update(std::size_t index, std::span<float> weights, std::span<const float> gradient,
                       Threads threads, std::size_t row_length) {
  const detail::DefaultFloats floats;
  check_update(index, weights.size(), gradient.size(), threads, row_length);
  detail::check_no_overlap(weights, "weights", gradient, "gradient");
  // Without a constraint, rows are nothing but places where the work may be split.
  const double max_norm = row_length == 0 ? 0.0 : config_.max_norm;
  const std::size_t cols = max_norm == 0.0 ? 1 : row_length;
  const std::size_t rows_at_once = (grain + cols - 1) / cols;

  const KernelTable& table = detail::kernels();
  const detail::SgdParams sgd = detail::sgd_params(config_);
  const detail::AdamParams adam = detail::adam_params(config_, step_);
  const bool is_sgd = config_.kind == OptimizerKind::sgd;
  float* first = first_[index].empty() ? nullptr : first_[index].data();
  float* second = second_[index].data();
  const auto update_rows = [&](std::size_t begin, std::size_t end) {
    const std::size_t rows = end - begin;
    const std::size_t at = begin * cols;
    const float* g = gradient.data() + at;
    float* w = weights.data() + at;
    float* m = first == nullptr ? nullptr : first + at;
    if (is_sgd && max_norm == 0.0) table.sgd_f32(sgd, rows, g, w, m);
    if (is_sgd && max_norm != 0.0) table.sgd_rows_f32(sgd, max_norm, rows, cols, g, w, m);
    if (!is_sgd && max_norm == 0.0) table.adam_f32(adam, rows, g, w, m, second + at);
    if (!is_sgd && max_norm != 0.0) {
      table.adam_rows_f32(adam, max_norm, rows, cols, g, w, m, second + at);
    }
  };
  detail::parallel_for(weights.size() / cols, rows_at_once, threads, update_rows);
}

}  // namespace simdrop
