#include "io/layer_tensors.h"

#include <charconv>
#include <string>
#include <utility>

#include "io/json_reader.h"
#include "mlp/checkpoint_access.h"

namespace simdrop::detail {
namespace {

constexpr std::string_view weight_kind = ".weight", bias_kind = ".bias";

struct TensorName {
  std::string_view prefix;
  std::string_view digits;
  bool weight = false;
};

// Modules beside Linear, and how their state shows.
constexpr std::pair<std::string_view, const char*> other_modules[] = {
    {".running_mean", "BatchNorm"},        {".running_var", "BatchNorm"},
    {".num_batches_tracked", "BatchNorm"}, {".weight_ih_l0", "a recurrent layer"},
    {".in_proj_weight", "attention"},      {".weight_scale", "a quantized layer"}};

class LayerFinder {
 public:
  explicit LayerFinder(const ByteSource& source) : source_(source) {}

  void add(const TensorInfo& tensor) {
    const TensorName name = taken_apart(tensor);
    if (first_ == nullptr) {
      first_ = &tensor;
      prefix_ = name.prefix;
    }
    LayerTensors& layer = layers_.try_emplace(number(tensor, name.digits)).first->second;
    const TensorInfo*& place = name.weight ? layer.weight : layer.bias;
    if (name.prefix != prefix_ || place != nullptr) {
      source_.fail("tensors " + in_quotes(first_->name) + " and " + in_quotes(tensor.name) +
                   " are not of one Sequential: their names differ in more than one number");
    }
    place = &tensor;
    if (layers_.size() == max_layers) source_.fail("has too many layers");
  }

  Layers checked() && {
    if (layers_.empty()) source_.fail("holds no Linear layer");
    const bool sequential = prefix_.empty() || prefix_.back() == '.';
    const LayerTensors* before = nullptr;
    std::uint64_t number_before = 0;
    for (const auto& [number, layer] : layers_) {
      check_layer(layer);
      if (before != nullptr) {
        if (sequential && number == number_before + 1) fail_adjacent(*before, layer);
        if (before->weight->shape[0] != layer.weight->shape[1]) {
          fail_to_fit(source_, *before->weight, *layer.weight);
        }
      }
      before = &layer;
      number_before = number;
    }
    return std::move(layers_);
  }

 private:
  [[noreturn]] void fail(const TensorInfo& tensor, const std::string& what) const {
    source_.fail("tensor " + in_quotes(tensor.name) + what);
  }

  [[nodiscard]] TensorName taken_apart(const TensorInfo& tensor) const {
    std::string_view name = tensor.name;
    for (const auto& [suffix, module] : other_modules) {
      if (name.ends_with(suffix)) fail(tensor, std::string(" looks like one of ") + module + other);
    }
    const bool weight = name.ends_with(weight_kind);
    if (!weight && !name.ends_with(bias_kind)) fail(tensor, no_layer);
    name.remove_suffix(weight ? weight_kind.size() : bias_kind.size());
    const std::size_t digits = name.find_last_not_of("0123456789") + 1;  // npos + 1 is 0
    if (digits == name.size()) fail(tensor, no_layer);
    return {name.substr(0, digits), name.substr(digits), weight};
  }

  [[nodiscard]] std::uint64_t number(const TensorInfo& tensor, std::string_view digits) const {
    if (digits.size() > 1 && digits[0] == '0') {
      fail(tensor, ": no layer's number begins with 0");
    }
    std::uint64_t value = 0;
    if (std::from_chars(digits.data(), digits.data() + digits.size(), value).ec != std::errc{}) {
      fail(tensor, ": its number is larger than any layer's");
    }
    return value;
  }

  void check_layer(const LayerTensors& layer) const {
    if (layer.weight != nullptr) check_is_linear(*layer.weight);
    if (layer.weight == nullptr) fail(*layer.bias, " has no weight");
    if (layer.bias == nullptr)
      fail(*layer.weight, ": it has no bias, as Linear(bias=False) and Embedding have none");
    check_tensor(source_, *layer.weight, 2);
    check_tensor(source_, *layer.bias, 1);
    if (layer.bias->shape[0] != layer.weight->shape[0]) {
      fail_to_fit(source_, *layer.weight, *layer.bias);
    }
  }

  void check_is_linear(const TensorInfo& weight) const {
    if (weight.rank == 2) return;
    const char* const module = weight.rank == 1                       ? "BatchNorm or LayerNorm"
                               : weight.rank >= 3 && weight.rank <= 5 ? "a convolution"
                                                                      : "no Linear";
    fail(weight, " is " + describe(weight) + ", which looks like one of " + module + other);
  }

  [[noreturn]] void fail_adjacent(const LayerTensors& a, const LayerTensors& b) const {
    source_.fail("tensors " + in_quotes(a.weight->name) + " and " + in_quotes(b.weight->name) +
                 " are numbered as if nothing lay between their layers, and so no ReLU: multiply "
                 "the two into one layer, or, if ReLU is applied all the same, leave a gap in "
                 "their numbers");
  }

  static constexpr const char* other = "; allowed: Linear alone, with ReLU and Dropout between";
  static constexpr const char* no_layer =
      " is not a Linear layer's of a Sequential, PREFIX NUMBER \".weight\" or \".bias\"";

  const ByteSource& source_;
  Layers layers_;
  const TensorInfo* first_ = nullptr;
  std::string_view prefix_;  // of the first
};

}  // namespace

Layers find_layers(const ByteSource& source, const SafetensorsHeader& header, bool has_state) {
  LayerFinder finder(source);
  for (const TensorInfo& tensor : header.tensors) {
    if (!has_state || !tensor.name.starts_with(state_prefix)) finder.add(tensor);
  }
  return std::move(finder).checked();
}

std::vector<std::size_t> widths_of(const Layers& layers) {
  std::vector<std::size_t> widths{layers.begin()->second.weight->shape[1]};
  widths.reserve(1 + layers.size());
  for (const auto& [number, layer] : layers) widths.push_back(layer.weight->shape[0]);
  return widths;
}

void check_tensor(const ByteSource& source, const TensorInfo& tensor, std::uint32_t rank) {
  if (tensor.dtype != std::string_view("F32") || tensor.rank != rank) {
    source.fail("tensor " + in_quotes(tensor.name) + " is " + describe(tensor) +
                "; allowed: F32 of " + std::to_string(rank) + " dimensions");
  }
  if (tensor.begin == tensor.end) source.fail("tensor " + in_quotes(tensor.name) + " is empty");
}

void fail_to_fit(const ByteSource& source, const TensorInfo& a, const TensorInfo& b) {
  source.fail("tensors " + in_quotes(a.name) + ", " + describe(a) + ", and " + in_quotes(b.name) +
              ", " + describe(b) + ", do not fit together");
}

}  // namespace simdrop::detail
