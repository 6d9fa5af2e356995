#include <algorithm>
#include <charconv>
#include <stdexcept>
#include <utility>

#include "base/float_environment.h"
#include "base/no_cancellation.h"
#include "io/checkpoint.h"
#include "io/checkpoint_config.h"
#include "io/json_reader.h"
#include "io/safetensors.h"
#include "mlp/checkpoint_access.h"

namespace simdrop {
namespace detail {
namespace {

constexpr std::string_view state_prefix = "optimizer.";

// The tensors of one Linear layer.
struct LayerTensors {
  std::string_view prefix;
  std::uint64_t number = 0;
  const TensorInfo* weight = nullptr;
  const TensorInfo* bias = nullptr;
};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Takes "PREFIX NUMBER KIND" apart, or returns false.
bool parse_name(std::string_view name, std::string_view kind, LayerTensors& out) {
  if (!name.ends_with(kind)) return false;
  name.remove_suffix(kind.size());
  std::size_t begin = name.size();
  while (begin > 0 && is_digit(name[begin - 1])) --begin;
  const auto result = std::from_chars(name.data() + begin, name.data() + name.size(), out.number);
  out.prefix = name.substr(0, begin);
  return result.ec == std::errc{};
}

class Loader {
 public:
  explicit Loader(ByteSource& source) : source_(source), header_(read_header(source)) {}

  Checkpoint load(const MlpConfig& defaults) {
    const SavedConfig saved = config(defaults);
    find_layers(saved.optimizer.has_value());
    check_shapes();
    const MlpConfig network = network_config(saved, defaults);
    check_state(saved);
    Checkpoint checkpoint{Mlp(network), std::nullopt, header_.metadata};
    for (std::size_t l = 1; l <= layers_.size(); ++l) {
      read(*layers_[l - 1].weight, checkpoint.mlp.weights(l));
      read(*layers_[l - 1].bias, checkpoint.mlp.bias(l));
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

  void find_layers(bool has_state) {
    std::map<std::uint64_t, LayerTensors> found;
    const std::string* first = nullptr;
    for (const auto& [name, tensor] : header_.tensors) {
      if (has_state && name.starts_with(state_prefix)) continue;
      LayerTensors parsed;
      const bool weight = parse_name(name, ".weight", parsed);
      if (!weight && !parse_name(name, ".bias", parsed)) {
        fail("tensor " + in_quotes(name) + " is not a Linear layer's of a Sequential, " +
             "PREFIX NUMBER \".weight\" or \".bias\"");
      }
      LayerTensors& layer = found.try_emplace(parsed.number, parsed).first->second;
      const TensorInfo*& place = weight ? layer.weight : layer.bias;
      if (first == nullptr) first = &name;
      if (parsed.prefix != found.begin()->second.prefix || place != nullptr) {
        fail("tensors " + in_quotes(*first) + " and " + in_quotes(name) +
             " are not of one Sequential: their names differ in more than one number");
      }
      place = &tensor;
    }
    for (const auto& [number, layer] : found) layers_.push_back(layer);
    if (layers_.empty()) fail("holds no Linear layer");
    if (layers_.size() >= max_layers) fail("has too many layers");
  }

  void check_tensor(const TensorInfo& tensor, std::size_t rank) const {
    if (tensor.dtype != "F32" || tensor.shape.size() != rank) {
      fail("tensor " + in_quotes(tensor.name) + " is " + detail::describe(tensor) +
           "; allowed: F32 of " + std::to_string(rank) + " dimensions");
    }
    if (tensor.elements() == 0) fail("tensor " + in_quotes(tensor.name) + " is empty");
  }

  void check_shapes() const {
    const TensorInfo* before = nullptr;
    for (const LayerTensors& layer : layers_) {
      if (layer.weight == nullptr) fail("tensor " + in_quotes(layer.bias->name) + " has no weight");
      if (layer.bias == nullptr) fail("tensor " + in_quotes(layer.weight->name) + " has no bias");
      const TensorInfo& weight = *layer.weight;
      check_tensor(weight, 2);
      check_tensor(*layer.bias, 1);
      if (layer.bias->shape[0] != weight.shape[0]) differ(weight, *layer.bias);
      if (before != nullptr && before->shape[0] != weight.shape[1]) differ(*before, weight);
      before = &weight;
    }
  }

  [[noreturn]] void differ(const TensorInfo& a, const TensorInfo& b) const {
    fail("tensors " + in_quotes(a.name) + ", " + detail::describe(a) + ", and " +
         in_quotes(b.name) + ", " + detail::describe(b) + ", do not fit together");
  }

  std::vector<std::size_t> widths() const {
    std::vector<std::size_t> result{layers_.front().weight->shape[1]};
    for (const LayerTensors& layer : layers_) result.push_back(layer.weight->shape[0]);
    return result;
  }

  // What is wrong with the caller's fields is the caller's error; with the file's, the file's.
  MlpConfig network_config(const SavedConfig& saved, const MlpConfig& defaults) const {
    MlpConfig network = saved.network;
    if (!header_.metadata.contains(config_key)) {
      network.widths = widths();
      return checked_config(network);
    }
    if (network.widths != widths()) fail("its widths are not those of its tensors");
    MlpConfig callers = defaults;
    const MlpConfig plain{.widths = {1, 1}};
    visit_network_fields([](const auto&, auto& field, const auto& unused) { field = unused; },
                         callers, plain);
    checked_config(callers);
    return of_file([&] { return checked_config(network); });
  }

  const TensorInfo& state(const char* prefix, const TensorInfo& parameter) const {
    const auto found = header_.tensors.find(prefix + parameter.name);
    if (found == header_.tensors.end()) fail("has no tensor " + in_quotes(prefix + parameter.name));
    return found->second;
  }

  std::vector<const TensorInfo*> parameters() const {
    std::vector<const TensorInfo*> result;
    for (const LayerTensors& layer : layers_) {
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
        check_tensor(tensor, parameter->shape.size());
        if (tensor.shape != parameter->shape) differ(*parameter, tensor);
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
  std::vector<LayerTensors> layers_;  // in the order of their numbers
};

}  // namespace

Checkpoint load_checkpoint(ByteSource& source, const MlpConfig& defaults) {
  return Loader(source).load(defaults);
}

}  // namespace detail

Checkpoint load_checkpoint(const std::filesystem::path& path, const MlpConfig& defaults) {
  const detail::NoCancellation whole;
  const detail::DefaultFloats floats;
  detail::FileSource source(path);
  return detail::load_checkpoint(source, defaults);
}

}  // namespace simdrop
