#include "mlp/config.h"

#include <string>

#include "base/check.h"
#include "mask/mask_check.h"
#include "mlp/stream_id.h"

namespace simdrop::detail {
namespace {

void check_widths(const std::vector<std::size_t>& widths) {
  check_argument(widths.size() >= 2 && widths.size() <= max_layers, "widths.size()", widths.size(),
                 "2 ... " + std::to_string(max_layers));
  for (std::size_t l = 0; l < widths.size(); ++l) {
    check_argument(widths[l] >= 1, "widths[" + std::to_string(l) + "]", widths[l], ">= 1");
  }
}

void check_keep_probs(const MlpConfig& config) {
  const std::size_t hidden = config.widths.size() - 2;
  check_argument(config.keep_prob.empty() || config.keep_prob.size() == hidden, "keep_prob.size()",
                 config.keep_prob.size(),
                 "0, or one for each of the hidden layers = " + std::to_string(hidden));
  for (std::size_t i = 0; i < config.keep_prob.size(); ++i) {
    check_keep_prob(config.keep_prob[i], "keep_prob[" + std::to_string(i) + "]");
  }
  check_keep_prob(config.input_keep_prob, "input_keep_prob");
}

void check_dropout_unit(const MlpConfig& config) {
  const auto unit = static_cast<int>(config.dropout_unit);
  check_argument(unit >= 0 && unit <= static_cast<int>(DropoutUnit::neuron), "dropout_unit", unit,
                 "DropoutUnit::element or neuron");
  const bool neuron = config.dropout_unit == DropoutUnit::neuron;
  check_argument(config.dropout_group == 0 || neuron, "dropout_group", config.dropout_group,
                 "0 without DropoutUnit::neuron");
  check_argument(!config.lazy_updates || (neuron && config.dropout_group == 0), "lazy_updates",
                 config.lazy_updates, "true only with DropoutUnit::neuron and dropout_group 0");
}

}  // namespace

const MlpConfig& checked_config(const MlpConfig& config) {
  check_widths(config.widths);
  check_keep_probs(config);
  check_dropout_unit(config);
  const auto loss = static_cast<int>(config.loss);
  check_argument(loss >= 0 && loss <= static_cast<int>(Loss::identity_mse), "loss", loss,
                 "Loss::sigmoid_bce, softmax_ce or identity_mse");
  const auto init = static_cast<int>(config.init);
  check_argument(init >= 0 && init <= static_cast<int>(Init::xavier), "init", init,
                 "Init::he or xavier");
  check_argument(config.max_batch >= 1, "max_batch", config.max_batch, ">= 1");
  check_argument(config.num_threads >= 0, "num_threads", config.num_threads, ">= 0");
  return config;
}

Threads own_threads(const MlpConfig& config) noexcept {
  Threads threads = config.num_threads;
  threads.executor = config.executor;
  return threads;
}

}  // namespace simdrop::detail
