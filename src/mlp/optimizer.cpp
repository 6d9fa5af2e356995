#include "simdrop/optimizer.hpp"

#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "check.h"
#include "dispatch.h"
#include "mlp/optimizer_access.h"
#include "parallel.h"

namespace simdrop {
namespace {

using detail::check_argument;
using detail::KernelTable;
using detail::throw_invalid;

// About ten microseconds of memory traffic; a multiple of a cache line.
constexpr std::size_t grain = 16384;

// Kernels compute in float: a value that float rounds out of its range would divide by 0.
bool fraction(double value) {
  return value >= 0.0 && static_cast<float>(value) < 1.0F;
}

bool finite_float(double value) {
  return std::isfinite(static_cast<float>(value));
}

void check_learning_rate(double learning_rate) {
  check_argument(learning_rate >= 0.0 && finite_float(learning_rate), "learning_rate",
                 learning_rate, "finite and >= 0");
}

void check_config(const OptimizerConfig& config) {
  const auto kind = static_cast<int>(config.kind);
  check_argument(kind >= 0 && kind <= static_cast<int>(OptimizerKind::adamw), "kind", kind,
                 "OptimizerKind::sgd, adam or adamw");
  check_learning_rate(config.learning_rate);
  check_argument(fraction(config.momentum), "momentum", config.momentum, "0 <= momentum < 1");
  check_argument(!config.nesterov || config.momentum > 0.0, "nesterov", config.nesterov,
                 "true only with momentum > 0");
  check_argument(config.weight_decay >= 0.0 && finite_float(config.weight_decay), "weight_decay",
                 config.weight_decay, "finite and >= 0");
  check_argument(fraction(config.beta1), "beta1", config.beta1, "0 <= beta1 < 1");
  check_argument(fraction(config.beta2), "beta2", config.beta2, "0 <= beta2 < 1");
  check_argument(static_cast<float>(config.epsilon) > 0.0F && finite_float(config.epsilon),
                 "epsilon", config.epsilon, "finite and > 0, also when rounded to float");
}

// Builds its text only when it throws: a step allocates nothing.
void check_length(const char* name, std::size_t length, std::size_t index, std::size_t size) {
  if (length == size) return;
  throw_invalid(name, length, "sizes[" + std::to_string(index) + "] = " + std::to_string(size));
}

detail::SgdParams sgd_params(const OptimizerConfig& config) {
  return {static_cast<float>(config.learning_rate), static_cast<float>(config.momentum),
          static_cast<float>(config.weight_decay), config.nesterov};
}

detail::AdamParams adam_params(const OptimizerConfig& config, std::uint64_t step) {
  const auto beta1 = static_cast<float>(config.beta1);
  const auto beta2 = static_cast<float>(config.beta2);
  // The moments decay by the rounded betas, so these are what corrects them.
  const double t = static_cast<double>(step);
  const double correction1 = 1.0 - std::pow(static_cast<double>(beta1), t);
  const double correction2 = 1.0 - std::pow(static_cast<double>(beta2), t);
  const bool decoupled = config.kind == OptimizerKind::adamw;
  const double decay = decoupled ? 1.0 - config.learning_rate * config.weight_decay : 1.0;
  return {beta1,
          beta2,
          static_cast<float>(config.epsilon),
          decoupled ? 0.0F : static_cast<float>(config.weight_decay),
          static_cast<float>(decay),
          static_cast<float>(config.learning_rate / correction1),
          static_cast<float>(1.0 / std::sqrt(correction2))};
}

}  // namespace

detail::OptimizerAccess::OptimizerAccess(Optimizer& optimizer_)
    : optimizer(optimizer_),
      update(optimizer_.config_.kind == OptimizerKind::sgd ? Update::sgd : Update::adam),
      sgd(sgd_params(optimizer_.config_)),
      adam(adam_params(optimizer_.config_, optimizer_.step_)) {}

detail::GradientUse<float> detail::OptimizerAccess::use(std::size_t index, float* parameters,
                                                        std::size_t ld) const noexcept {
  const auto data = [](std::vector<float>& state) {
    return state.empty() ? nullptr : state.data();
  };
  return {update, parameters, data(optimizer.first_[index]), data(optimizer.second_[index]), ld};
}

Optimizer::Optimizer(const OptimizerConfig& config, std::vector<std::size_t> sizes)
    : config_(config), sizes_(std::move(sizes)), first_(sizes_.size()), second_(sizes_.size()) {
  check_config(config_);
  const bool adaptive = config_.kind != OptimizerKind::sgd;
  for (std::size_t i = 0; i < sizes_.size(); ++i) {
    if (adaptive || config_.momentum > 0.0) first_[i].resize(sizes_[i]);
    if (adaptive) second_[i].resize(sizes_[i]);
  }
}

void Optimizer::set_learning_rate(double learning_rate) {
  check_learning_rate(learning_rate);
  config_.learning_rate = learning_rate;
}

void Optimizer::update(std::size_t index, std::span<float> weights, std::span<const float> gradient,
                       int num_threads) {
  if (index >= sizes_.size()) {
    throw_invalid("index", index,
                  "less than the number of parameter arrays, " + std::to_string(sizes_.size()));
  }
  check_length("weights.size()", weights.size(), index, sizes_[index]);
  check_length("gradient.size()", gradient.size(), index, sizes_[index]);
  detail::check_num_threads(num_threads);
  check_argument(step_ > 0, "step_count()", step_, ">= 1: call begin_step() first");

  const KernelTable& table = detail::kernels();
  const detail::SgdParams sgd = sgd_params(config_);
  const detail::AdamParams adam = adam_params(config_, step_);
  float* first = first_[index].empty() ? nullptr : first_[index].data();
  float* second = second_[index].data();
  detail::parallel_for(weights.size(), grain, num_threads, [&](std::size_t begin, std::size_t end) {
    const std::size_t n = end - begin;
    const float* g = gradient.data() + begin;
    float* w = weights.data() + begin;
    if (config_.kind == OptimizerKind::sgd) {
      table.sgd_f32(sgd, n, g, w, first == nullptr ? nullptr : first + begin);
    } else {
      table.adam_f32(adam, n, g, w, first + begin, second + begin);
    }
  });
}

}  // namespace simdrop
