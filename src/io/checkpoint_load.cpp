#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/float_environment.h"
#include "base/no_cancellation.h"
#include "io/checkpoint.h"
#include "io/checkpoint_config.h"
#include "io/json_reader.h"
#include "io/layer_tensors.h"
#include "io/safetensors.h"
#include "mlp/checkpoint_access.h"

namespace simdrop {
namespace detail {
namespace {

constexpr const char* activation_key = "activation";
constexpr const char* loss_key = "loss";
constexpr std::string_view relu = "relu";  // between the layers of every network

void check_options(const LoadOptions& options) {
  const Activation activation = options.activation.value_or(Activation::relu);
  check_argument(activation == Activation::relu, "options.activation",
                 activation == Activation::identity ? "Activation::identity" : "unknown",
                 "Activation::relu, as no other lies between the layers of an Mlp");
  const auto loss = static_cast<std::size_t>(options.loss.value_or(Loss::softmax_ce));
  check_argument(loss < names_of(Loss{}).size(), "options.loss", loss, "a Loss");
}

std::string loss_names() {
  std::string text;
  for (const char* name : names_of(Loss{})) text += (text.empty() ? "" : ", ") + std::string(name);
  return text;
}

class Loader {
 public:
  explicit Loader(ByteSource& source)
      : source_(source),
        header_(read_header(source)),
        own_(header_.metadata.contains(config_key)) {}

  Checkpoint load(const MlpConfig& defaults, const LoadOptions& options) {
    SavedConfig saved = config(defaults);
    layers_ = find_layers(source_, header_, saved.optimizer.has_value());
    saved.network.loss = agreed_loss(saved.network, options);
    const MlpConfig network = network_config(saved, defaults);
    check_state(saved);
    Checkpoint checkpoint{Mlp(network), std::nullopt, std::move(header_.metadata)};
    std::size_t l = 0;
    for (const auto& [number, layer] : layers_) {
      ++l;
      read(*layer.weight, checkpoint.mlp.weights(l));
      read(*layer.bias, checkpoint.mlp.bias(l));
    }
    if (saved.optimizer) read_optimizer(saved, checkpoint);
    checkpoint.metadata.erase(config_key);
    checkpoint.metadata.erase(format_key);
    return checkpoint;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const { source_.fail(what); }

  void read(const TensorInfo& tensor, Matrix out) { read_tensor(source_, header_, tensor, out); }

  template <class Fn>
  auto of_file(const Fn& fn) const {
    try {
      return fn();
    } catch (const std::invalid_argument& error) {
      std::string_view what = error.what();
      constexpr std::string_view own = "simdrop: ";
      if (what.starts_with(own)) what.remove_prefix(own.size());
      fail("in its configuration, " + std::string(what));
    }
  }

  SavedConfig config(const MlpConfig& defaults) const {
    const auto text = header_.metadata.find(config_key);
    if (text == header_.metadata.end()) return {defaults, std::nullopt, 0};
    try {
      return parse_config(text->second, defaults);
    } catch (const JsonError& error) {
      fail(std::string("in its configuration, ") + error.what());
    }
  }

  // What a file of others says in its metadata; null: nothing.
  [[nodiscard]] const std::string* told(const char* key) const {
    const auto found = header_.metadata.find(key);
    return own_ || found == header_.metadata.end() ? nullptr : &found->second;
  }

  [[noreturn]] void fail_unknown(const char* key, const std::string& value,
                                 std::string_view allowed) const {
    fail(std::string("its metadata \"") + key + "\" is " + in_quotes(value) +
         "; allowed: " + std::string(allowed));
  }

  [[nodiscard]] bool tells_activation() const {
    const std::string* const text = told(activation_key);
    if (text != nullptr && *text != relu) fail_unknown(activation_key, *text, relu);
    return own_ || text != nullptr || layers_.size() == 1;
  }

  [[nodiscard]] std::optional<Loss> told_loss(const MlpConfig& network) const {
    if (own_) return network.loss;
    const std::string* const text = told(loss_key);
    if (text == nullptr) return std::nullopt;
    const std::optional<Loss> loss = value_named<Loss>(*text);
    if (!loss) fail_unknown(loss_key, *text, loss_names());
    return loss;
  }

  // The file or the caller must say it, and both the same; and what lies between the layers too.
  [[nodiscard]] Loss agreed_loss(const MlpConfig& network, const LoadOptions& options) const {
    std::string missing;
    if (!tells_activation() && !options.activation) {
      missing = " activation (" + std::string(relu) + ")";
    }
    const std::optional<Loss> told = told_loss(network);
    if (!told && !options.loss) {
      missing += (missing.empty() ? " loss (" : " and loss (") + loss_names() + ')';
    }
    if (!missing.empty()) {
      fail("does not tell its" + missing +
           ": say it in LoadOptions (C: simdrop_mlp_load_args), or in the file's metadata");
    }
    const Loss loss = told ? *told : *options.loss;
    if (options.loss && *options.loss != loss) {
      fail(std::string("its loss is ") + name_of(loss) + ", but the caller says " +
           name_of(*options.loss));
    }
    const std::size_t outputs = layers_.rbegin()->second.weight->shape[0];
    if (!suits_outputs(loss, outputs)) {
      fail("has " + std::to_string(outputs) + " outputs; allowed: " + softmax_outputs);
    }
    return loss;
  }

  // What is wrong with the caller's fields is the caller's error; with the file's, the file's.
  MlpConfig network_config(const SavedConfig& saved, const MlpConfig& defaults) const {
    MlpConfig network = saved.network;
    std::vector<std::size_t> widths = widths_of(layers_);
    if (!own_) {
      network.widths = std::move(widths);
      return checked_config(network);
    }
    if (network.widths != widths) fail("its widths are not those of its tensors");
    MlpConfig callers = defaults;
    const MlpConfig plain{.widths = {1, 2}};
    visit_network_fields([](const auto&, auto& field, const auto& unused) { field = unused; },
                         callers, plain);
    checked_config(callers);
    return of_file([&] { return checked_config(network); });
  }

  const TensorInfo& state(const char* prefix, const TensorInfo& parameter) const {
    const auto found = header_.tensors.find(prefix + parameter.name);
    if (found == header_.tensors.end()) fail("has no tensor " + in_quotes(prefix + parameter.name));
    return *found;
  }

  // In order: weight and bias of each layer.
  std::vector<const TensorInfo*> parameters() const {
    std::vector<const TensorInfo*> result;
    result.reserve(2 * layers_.size());
    for (const auto& [number, layer] : layers_) {
      result.push_back(layer.weight);
      result.push_back(layer.bias);
    }
    return result;
  }

  // The optimizer's tensors are there, as they should be, and no others.
  void check_state(const SavedConfig& saved) const {
    if (!saved.optimizer) return;
    of_file([&] { return checked_config(*saved.optimizer); });
    if (saved.step_count >= max_steps)
      fail("its step count is " + std::to_string(saved.step_count));
    std::size_t count = 2 * layers_.size();
    for (const char* prefix : state_names(*saved.optimizer)) {
      for (const TensorInfo* parameter : parameters()) {
        const TensorInfo& tensor = state(prefix, *parameter);
        check_tensor(source_, tensor, parameter->rank);
        if (tensor.shape != parameter->shape) fail_to_fit(source_, *parameter, tensor);
        ++count;
      }
    }
    if (count != header_.tensors.size()) fail("has tensors that its optimizer does not know");
  }

  void read_optimizer(const SavedConfig& saved, Checkpoint& checkpoint) {
    Optimizer& optimizer =
        checkpoint.optimizer.emplace(*saved.optimizer, checkpoint.mlp.parameter_sizes());
    set_step_count(optimizer, saved.step_count);
    std::size_t which = 0;
    for (const char* prefix : state_names(*saved.optimizer)) {
      std::size_t index = 0;
      for (const TensorInfo* parameter : parameters()) {
        read(state(prefix, *parameter), optimizer_state(optimizer, which, index));
        ++index;
      }
      ++which;
    }
  }

  ByteSource& source_;
  SafetensorsHeader header_;
  bool own_;  // save_checkpoint() wrote it
  Layers layers_;
};

}  // namespace

Checkpoint load_checkpoint(ByteSource& source, const MlpConfig& defaults,
                           const LoadOptions& options) {
  check_options(options);
  return Loader(source).load(defaults, options);
}

}  // namespace detail

Checkpoint load_checkpoint(const std::filesystem::path& path, const MlpConfig& defaults,
                           const LoadOptions& options) {
  const detail::NoCancellation whole;
  const detail::DefaultFloats floats;
  detail::FileSource source(path);
  return detail::load_checkpoint(source, defaults, options);
}

Checkpoint load_checkpoint(const std::filesystem::path& path, const MlpConfig& defaults) {
  return load_checkpoint(path, defaults, {});
}

}  // namespace simdrop
