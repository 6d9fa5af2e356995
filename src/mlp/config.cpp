#include "mlp/config.h"

#include <string>
#include <vector>

#include "base/check.h"
#include "mask/mask_check.h"
#include "mlp/config_fields.h"
#include "mlp/stream_id.h"

namespace simdrop::detail {
namespace {

template <NamedEnum Enum>
std::string allowed_names() {
  std::string text = std::string(EnumNames<Enum>::type) + "::";
  const std::size_t count = EnumNames<Enum>::values.size();
  for (std::size_t i = 0; i < count; ++i) {
    text += (i == 0 ? "" : i + 1 == count ? " or " : ", ") + std::string(EnumNames<Enum>::values[i]);
  }
  return text;
}

template <class Config, class T>
void check_field(const Config& config, const Field<Config>& field, const T& value) {
  if (field.ok != nullptr) check_argument(field.ok(config), field.name, value, field.allowed);
}

template <class Config, NamedEnum T>
void check_field(const Config& /*config*/, const Field<Config>& field, const T& value) {
  const auto index = static_cast<int>(value);
  if (index >= 0 && index < static_cast<int>(EnumNames<T>::values.size())) return;
  throw_invalid(field.name, index, allowed_names<T>());
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
  visit_mlp_fields(
      [&](const auto& field, const auto& value) { check_field(config, field, value); }, config);
  return config;
}

const OptimizerConfig& checked_config(const OptimizerConfig& config) {
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
