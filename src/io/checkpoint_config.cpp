#include "io/checkpoint_config.h"

#include <map>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "io/json_reader.h"
#include "mlp/checkpoint_access.h"

namespace simdrop::detail {
namespace {

constexpr std::uint64_t format_version = 1;

template <class T>
std::string json_of(const T& value) {
  if constexpr (NamedEnum<T>) return json_string(name_of(value));
  if constexpr (std::is_same_v<T, bool>) return value ? "true" : "false";
  if constexpr (std::is_same_v<T, double>) return json_number(value);
  if constexpr (std::is_same_v<T, std::uint64_t>) return std::to_string(value);
}
template <class T>
std::string json_of(const std::vector<T>& values) {
  std::string list;
  for (const T& value : values) list += (list.empty() ? "" : ",") + json_of(value);
  return '[' + list + ']';
}

// Writes the members of an object.
class Members {
 public:
  void add_json(const char* key, const std::string& json) {
    text_ += (text_.empty() ? "\"" : ",\"") + std::string(key) + "\":" + json;
  }
  template <class Config, class T>
  void operator()(const Field<Config>& field, const T& value) {
    add_json(field.name, json_of(value));
  }
  [[nodiscard]] std::string object() const { return '{' + text_ + '}'; }

 private:
  std::string text_;
};

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

  template <NamedEnum Enum>
  void take(const std::string& name, Enum& out) {
    const auto text = as<std::string>(name, scalar(name));
    const std::optional<Enum> value = value_named<Enum>(text);
    if (!value) {
      throw JsonError(name + " is " + in_quotes(text) + ", which this version does not know");
    }
    out = *value;
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

}  // namespace

std::string config_text(const MlpConfig& network, const Optimizer* optimizer) {
  Members members;
  members.add_json("version", json_of(format_version));
  Members of_network;
  visit_network_fields(of_network, network);
  members.add_json("network", of_network.object());
  if (optimizer == nullptr) return members.object();
  Members of_optimizer;
  visit_optimizer_fields(of_optimizer, optimizer->config());
  of_optimizer.add_json("step_count", json_of(optimizer->step_count()));
  members.add_json("optimizer", of_optimizer.object());
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
  const auto take_from = [&](const std::string& object) {
    return
        [&, object](const auto& field, auto& out) { values.take(object + '.' + field.name, out); };
  };
  if (!values.object("network")) throw JsonError("network is missing");
  visit_network_fields(take_from("network"), saved.network);
  if (values.object("optimizer")) {
    visit_optimizer_fields(take_from("optimizer"), saved.optimizer.emplace());
    values.take("optimizer.step_count", saved.step_count);
  }
  values.finish();
  return saved;
}

}  // namespace simdrop::detail
