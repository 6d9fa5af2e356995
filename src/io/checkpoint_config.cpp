#include "io/checkpoint_config.h"

#include <map>
#include <span>
#include <utility>
#include <vector>

#include "io/json_reader.h"

namespace simdrop::detail {
namespace {

constexpr std::uint64_t format_version = 1;

// In the order of the enumerators.
constexpr const char* loss_names[] = {"sigmoid_bce", "softmax_ce", "identity_mse"};
constexpr const char* init_names[] = {"he", "xavier"};
constexpr const char* unit_names[] = {"element", "neuron"};
constexpr const char* kind_names[] = {"sgd", "adam", "adamw"};

// Writes the members of an object.
class Members {
 public:
  void add(const char* key, const std::string& json) {
    text_ += (text_.empty() ? "\"" : ",\"") + std::string(key) + "\":" + json;
  }
  void add(const char* key, double value) { add(key, json_number(value)); }
  void add(const char* key, std::uint64_t value) { add(key, std::to_string(value)); }
  void add(const char* key, bool value) { add(key, std::string(value ? "true" : "false")); }
  template <class Values, class Text>
  void add_list(const char* key, const Values& values, Text text_of) {
    std::string list;
    for (const auto& value : values) {
      if (!list.empty()) list += ',';
      list += text_of(value);
    }
    add(key, '[' + list + ']');
  }
  template <class Enum>
  void add_name(const char* key, std::span<const char* const> names, Enum value) {
    add(key, json_string(names[static_cast<std::size_t>(value)]));
  }
  [[nodiscard]] std::string object() const { return '{' + text_ + '}'; }

 private:
  std::string text_;
};

std::string network_text(const MlpConfig& config) {
  Members members;
  members.add_list("widths", config.widths,
                   [](std::size_t width) { return std::to_string(width); });
  members.add_list("keep_prob", config.keep_prob, json_number);
  members.add("input_keep_prob", config.input_keep_prob);
  members.add_name("dropout_unit", unit_names, config.dropout_unit);
  members.add("lazy_updates", config.lazy_updates);
  members.add("dropout_group", std::uint64_t{config.dropout_group});
  members.add_name("loss", loss_names, config.loss);
  members.add_name("init", init_names, config.init);
  members.add("seed", config.seed);
  return members.object();
}

std::string optimizer_text(const Optimizer& optimizer) {
  const OptimizerConfig& config = optimizer.config();
  Members members;
  members.add_name("kind", kind_names, config.kind);
  members.add("learning_rate", config.learning_rate);
  members.add("momentum", config.momentum);
  members.add("nesterov", config.nesterov);
  members.add("weight_decay", config.weight_decay);
  members.add("beta1", config.beta1);
  members.add("beta2", config.beta2);
  members.add("epsilon", config.epsilon);
  members.add("max_norm", config.max_norm);
  members.add("step_count", optimizer.step_count());
  return members.object();
}

// All values of the text, by keys joined with dots.
class Values final : public JsonConsumer {
 public:
  void open(const JsonPath& path, bool array) override {
    if (path.size() > 1 + std::size_t{array}) throw JsonError("it is nested too deep");
    if (array)
      lists_[joined(path, path.size())];
    else
      objects_[joined(path, path.size())] = true;
  }

  void scalar(const JsonPath& path, JsonScalar value) override {
    const bool element = !path.empty() && path.back() == json_element;
    const std::string name = joined(path, path.size() - (element ? 1 : 0));
    if (element) {
      lists_[name].push_back(std::move(value));
    } else {
      scalars_[name] = std::move(value);
    }
  }

  // Whether there is an object; then its members must be taken.
  bool object(const std::string& name) { return objects_.erase(name) != 0; }

  void take(const std::string& name, bool& out) { out = as<bool>(name, scalar(name)); }
  void take(const std::string& name, std::uint64_t& out) {
    out = as<std::uint64_t>(name, scalar(name));
  }
  void take(const std::string& name, double& out) { out = number(name, scalar(name)); }

  template <class Enum>
  void take(const std::string& name, std::span<const char* const> names, Enum& out) {
    const auto text = as<std::string>(name, scalar(name));
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (text != names[i]) continue;
      out = static_cast<Enum>(i);
      return;
    }
    throw JsonError(name + " is " + in_quotes(text) + ", which this version does not know");
  }

  void take(const std::string& name, std::vector<std::size_t>& out) {
    out.clear();
    for (const auto& value : list(name)) out.push_back(as<std::uint64_t>(name, value));
  }
  void take(const std::string& name, std::vector<double>& out) {
    out.clear();
    for (const auto& value : list(name)) out.push_back(number(name, value));
  }

  // What was not taken is of a later version: to leave it out could change a run.
  void finish() const {
    std::string left;
    if (!scalars_.empty()) left = scalars_.begin()->first;
    if (!lists_.empty()) left = lists_.begin()->first;
    if (!objects_.empty()) left = objects_.begin()->first;
    if (!left.empty()) throw JsonError(in_quotes(left) + " is nothing that this version knows");
  }

 private:
  static std::string joined(const JsonPath& path, std::size_t size) {
    std::string name;
    for (std::size_t i = 0; i < size; ++i) name += (i == 0 ? "" : ".") + path[i];
    return name;
  }

  template <class Map>
  static auto extract(Map& map, const std::string& name) {
    auto node = map.extract(name);
    if (node.empty()) throw JsonError(name + " is missing, or of the wrong kind");
    return std::move(node.mapped());
  }
  JsonScalar scalar(const std::string& name) { return extract(scalars_, name); }
  std::vector<JsonScalar> list(const std::string& name) { return extract(lists_, name); }

  template <class T>
  static T as(const std::string& name, const JsonScalar& value) {
    if (const T* const found = std::get_if<T>(&value)) return *found;
    throw JsonError(name + " is of the wrong kind");
  }
  // A double that is whole reads as a whole number.
  static double number(const std::string& name, const JsonScalar& value) {
    if (const auto* const whole = std::get_if<std::uint64_t>(&value)) {
      return static_cast<double>(*whole);
    }
    return as<double>(name, value);
  }

  std::map<std::string, JsonScalar> scalars_;
  std::map<std::string, std::vector<JsonScalar>> lists_;
  std::map<std::string, bool> objects_;
};

void take_network(Values& values, MlpConfig& config) {
  if (!values.object("network")) throw JsonError("network is missing");
  values.take("network.widths", config.widths);
  values.take("network.keep_prob", config.keep_prob);
  values.take("network.input_keep_prob", config.input_keep_prob);
  values.take("network.dropout_unit", unit_names, config.dropout_unit);
  values.take("network.lazy_updates", config.lazy_updates);
  values.take("network.dropout_group", config.dropout_group);
  values.take("network.loss", loss_names, config.loss);
  values.take("network.init", init_names, config.init);
  values.take("network.seed", config.seed);
}

void take_optimizer(Values& values, SavedConfig& saved) {
  if (!values.object("optimizer")) return;
  OptimizerConfig& config = saved.optimizer.emplace();
  values.take("optimizer.kind", kind_names, config.kind);
  values.take("optimizer.learning_rate", config.learning_rate);
  values.take("optimizer.momentum", config.momentum);
  values.take("optimizer.nesterov", config.nesterov);
  values.take("optimizer.weight_decay", config.weight_decay);
  values.take("optimizer.beta1", config.beta1);
  values.take("optimizer.beta2", config.beta2);
  values.take("optimizer.epsilon", config.epsilon);
  values.take("optimizer.max_norm", config.max_norm);
  values.take("optimizer.step_count", saved.step_count);
}

}  // namespace

std::string config_text(const MlpConfig& network, const Optimizer* optimizer) {
  Members members;
  members.add("version", format_version);
  members.add("network", network_text(network));
  if (optimizer != nullptr) members.add("optimizer", optimizer_text(*optimizer));
  return members.object();
}

SavedConfig parse_config(std::string_view text, const MlpConfig& network) {
  Values values;
  read_json(text, values);
  std::uint64_t version = 0;
  values.take("version", version);
  if (version != format_version) {
    throw JsonError("version is " + std::to_string(version) + ", which this version does not know");
  }
  if (!values.object("")) throw JsonError("it is no object");
  SavedConfig saved{network, std::nullopt, 0};
  take_network(values, saved.network);
  take_optimizer(values, saved);
  values.finish();
  return saved;
}

}  // namespace simdrop::detail
