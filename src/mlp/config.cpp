#include "mlp/config.h"

#include <cmath>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/float_environment.h"
#include "mask/mask_check.h"
#include "mlp/config_fields.h"
#include "mlp/stream_id.h"

namespace simdrop::detail {
namespace {

template <class Config, class T>
void check_field(const Config& config, const Field<Config>& field, const T& value) {
  if (field.in_range == nullptr) return;
  check_argument(field.in_range(config), field.name, value, field.allowed);
}

// A value that is out of its range as a float alone: the message tells both.
void check_field(const OptimizerConfig& config, const Field<OptimizerConfig>& field,
                 const double& value) {
  if (field.in_range(config)) return;
  const auto rounded = static_cast<float>(value);
  const bool leaves =
      std::isfinite(value) && (std::isinf(rounded) || rounded == 0.0F || rounded == 1.0F);
  if (!leaves || static_cast<double>(rounded) == value) {
    throw_invalid(field.name, value, field.allowed);
  }
  throw_invalid(field.name, value_text(value) + ", rounded to float " + value_text(rounded),
                field.allowed);
}

// "TYPE::a, b or c".
template <class Config, NamedEnum T>
void check_field(const Config& /*config*/, const Field<Config>& field, const T& value) {
  constexpr auto names = names_of(T{});
  const auto index = static_cast<int>(value);
  if (index >= 0 && index < static_cast<int>(names.size())) return;
  std::string allowed = std::string(field.allowed) + "::" + names[0];
  for (std::size_t i = 1; i < names.size(); ++i) {
    allowed += (i + 1 == names.size() ? " or " : ", ") + std::string(names[i]);
  }
  throw_invalid(field.name, index, allowed);
}

void check_field(const MlpConfig& /*config*/, const Field<MlpConfig>& /*field*/,
                 const std::vector<std::size_t>& widths) {
  check_argument(widths.size() >= 2 && widths.size() <= max_layers, "widths.size()", widths.size(),
                 "2 ... " + std::to_string(max_layers));
  for (std::size_t l = 0; l < widths.size(); ++l) {
    check_argument(widths[l] >= 1, "widths[" + std::to_string(l) + "]", widths[l], ">= 1");
  }
}

void check_field(const MlpConfig& config, const Field<MlpConfig>& /*field*/,
                 const std::vector<double>& keep_prob) {
  const std::size_t hidden = config.widths.size() - 2;
  check_argument(keep_prob.empty() || keep_prob.size() == hidden, "keep_prob.size()",
                 keep_prob.size(),
                 "0, or one for each of the hidden layers = " + std::to_string(hidden));
  for (std::size_t i = 0; i < keep_prob.size(); ++i) {
    check_keep_prob(keep_prob[i], "keep_prob[" + std::to_string(i) + "]");
  }
}

}  // namespace

const MlpConfig& checked_config(const MlpConfig& config) {
  visit_mlp_fields([&](const auto& field, const auto& value) { check_field(config, field, value); },
                   config);
  const std::size_t outputs = config.widths.back();
  check_argument(suits_outputs(config.loss, outputs), "widths.back()", outputs, softmax_outputs);
  return config;
}

// A public constructor's first member is what this returns.
const OptimizerConfig& checked_config(const OptimizerConfig& config) {
  const DefaultFloats floats;
  visit_optimizer_fields(
      [&](const auto& field, const auto& value) { check_field(config, field, value); }, config);
  return config;
}

Threads own_threads(const MlpConfig& config) noexcept {
  Threads threads = config.num_threads;
  threads.executor = config.executor;
  return threads;
}

}  // namespace simdrop::detail
