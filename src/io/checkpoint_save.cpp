#include <utility>

#include "base/check.h"
#include "base/float_environment.h"
#include "base/no_cancellation.h"
#include "io/checkpoint.h"
#include "io/checkpoint_config.h"
#include "io/json_reader.h"
#include "mlp/checkpoint_access.h"

namespace simdrop {
namespace {

using detail::TensorData;

void check_optimizer(const Mlp& mlp, const Optimizer& optimizer) {
  if (optimizer.sizes() != mlp.parameter_sizes()) {
    detail::throw_invalid("optimizer.sizes()", "of another network", "mlp.parameter_sizes()");
  }
}

void check_metadata(const Metadata& metadata) {
  for (const auto& [key, value] : metadata) {
    const bool taken = key == detail::format_key || key == detail::config_key;
    detail::check_argument(!taken, "metadata key", detail::in_quotes(key),
                           "any but \"format\" and \"simdrop\"");
    detail::check_argument(detail::is_utf8(key), "metadata key", detail::in_quotes(key), "UTF-8");
    detail::check_argument(detail::is_utf8(value), "metadata value of " + detail::in_quotes(key),
                           detail::in_quotes(value), "UTF-8");
  }
}

// The name of each layer's tensors: its place in a Sequential with the modules that have none.
std::vector<std::string> layer_names(const MlpConfig& config) {
  std::vector<std::string> names;
  std::size_t module = config.input_keep_prob < 1.0 ? 1 : 0;
  for (std::size_t l = 1; l < config.widths.size(); ++l) {
    names.push_back(std::to_string(module) + ".");
    if (l + 1 < config.widths.size()) module += config.keep_prob[l - 1] < 1.0 ? 3 : 2;
  }
  return names;
}

std::vector<TensorData> parameters_of(const Mlp& mlp) {
  const std::vector<std::string> names = layer_names(mlp.config());
  std::vector<TensorData> tensors;
  for (std::size_t l = 1; l <= mlp.num_layers(); ++l) {
    const ConstMatrix weights = mlp.weights(l);
    const std::span<const float> bias = mlp.bias(l);
    tensors.push_back({names[l - 1] + "weight", {weights.rows, weights.cols}, weights});
    tensors.push_back({names[l - 1] + "bias", {bias.size()}, bias});
  }
  return tensors;
}

// Behind the parameters, and shaped as they are.
void add_state(const Optimizer& optimizer, std::vector<TensorData>& tensors) {
  const std::size_t parameters = tensors.size();
  std::size_t which = 0;
  for (const char* prefix : detail::state_names(optimizer.config())) {
    for (std::size_t i = 0; i < parameters; ++i) {
      const std::span<const float> state = detail::optimizer_state(optimizer, which, i);
      tensors.push_back({prefix + tensors[i].name, tensors[i].shape, state});
    }
    ++which;
  }
}

void save(const std::filesystem::path& path, const Mlp& mlp, const Optimizer* optimizer,
          const Metadata& metadata, bool sync) {
  const detail::NoCancellation whole;
  const detail::DefaultFloats floats;
  check_metadata(metadata);
  if (optimizer != nullptr) check_optimizer(mlp, *optimizer);
  const std::vector<TensorData> tensors = detail::saved_tensors(mlp, optimizer);
  Metadata all = metadata;
  all[detail::format_key] = "pt";
  all[detail::config_key] = detail::config_text(mlp.config(), optimizer);
  detail::OutputFile file(path, sync);
  detail::write_safetensors(file, tensors, all);
  file.commit();
}

}  // namespace

std::vector<TensorData> detail::saved_tensors(const Mlp& mlp, const Optimizer* optimizer) {
  std::vector<TensorData> tensors = parameters_of(mlp);
  if (optimizer != nullptr) add_state(*optimizer, tensors);
  return tensors;
}

void save_checkpoint(const std::filesystem::path& path, const Mlp& mlp, const Optimizer* optimizer,
                     const Metadata& metadata) {
  save(path, mlp, optimizer, metadata, true);
}

void save_checkpoint(const std::filesystem::path& path, const Mlp& mlp,
                     const SaveOptions& options) {
  save(path, mlp, options.optimizer, options.metadata, options.sync);
}

}  // namespace simdrop
