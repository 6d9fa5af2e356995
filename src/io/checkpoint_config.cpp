#include "io/checkpoint_config.h"

#include <optional>
#include <type_traits>
#include <utility>
#include <variant>
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
class ObjectText {
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

[[noreturn]] void wrong(const JsonPath& path, const char* what) {
  throw JsonError(in_quotes(path) + what);
}

// Where a value goes that is of the field's type; nothing is kept on the way.
class Place {
 public:
  Place() = default;
  explicit Place(bool& out) : out_(&out) {}
  explicit Place(std::uint64_t& out) : out_(&out) {}
  explicit Place(double& out) : out_(&out) {}
  explicit Place(std::vector<std::size_t>& out) : out_(&out) {}
  explicit Place(std::vector<double>& out) : out_(&out) {}
  template <NamedEnum Enum>
  explicit Place(Enum& out)
      : out_(Named{&out, [](void* place, std::string_view name) {
                     const std::optional<Enum> value = value_named<Enum>(name);
                     if (value) *static_cast<Enum*>(place) = *value;
                     return value.has_value();
                   }}) {}

  // An array begins.
  void clear(const JsonPath& path) const {
    if (auto* const* widths = std::get_if<std::vector<std::size_t>*>(&out_)) {
      (*widths)->clear();
    } else if (auto* const* numbers = std::get_if<std::vector<double>*>(&out_)) {
      (*numbers)->clear();
    } else {
      wrong_kind(path);
    }
  }

  // A value, or an element of an array.
  void set(const JsonPath& path, const JsonScalar& value, bool element) const {
    std::visit([&](auto to) { put(path, value, element, to); }, out_);
  }

 private:
  struct Named {
    void* out;
    bool (*set)(void* out, std::string_view name);
  };

  [[noreturn]] static void wrong_kind(const JsonPath& path) {
    wrong(path, " is of the wrong kind");
  }

  template <class T>
  static T as(const JsonPath& path, const JsonScalar& value) {
    if (const T* const found = std::get_if<T>(&value)) return *found;
    // A double that is whole reads as a whole number.
    const auto* const whole = std::get_if<std::uint64_t>(&value);
    if (std::is_same_v<T, double> && whole != nullptr) return static_cast<T>(*whole);
    wrong_kind(path);
  }

  static void put(const JsonPath& path, const JsonScalar& /*value*/, bool /*element*/,
                  std::monostate /*to*/) {
    wrong_kind(path);
  }
  template <class T>
  static void put(const JsonPath& path, const JsonScalar& value, bool element, T* to) {
    if (element) wrong_kind(path);
    *to = as<T>(path, value);
  }
  static void put(const JsonPath& path, const JsonScalar& value, bool element, Named to) {
    const auto* const name = std::get_if<std::string>(&value);
    if (element || name == nullptr) wrong_kind(path);
    if (to.set(to.out, *name)) return;
    throw JsonError(in_quotes(path) + " is " + in_quotes(*name) +
                    ", which this version does not know");
  }
  template <class T>
  static void put(const JsonPath& path, const JsonScalar& value, bool element, std::vector<T>* to) {
    if (!element) wrong_kind(path);
    if (to->size() == max_layers) wrong(path, " has more elements than a network has layers");
    to->push_back(as<T>(path, value));
  }

  std::variant<std::monostate, bool*, std::uint64_t*, double*, std::vector<std::size_t>*,
               std::vector<double>*, Named>
      out_;
};

// A member of an object, and whether the text had it.
struct Member {
  const char* name;
  Place place;
  bool taken = false;
};

// Fills a configuration. Every member must be there once, and no other: what this version does not
// know is of a later one, and to leave it out could change a run.
class ConfigReader final : public JsonConsumer {
  using Members = std::vector<Member>;

  static auto adding_to(Members& members) {
    return [&members](const auto& field, auto& out) {
      members.push_back({field.name, Place(out)});
    };
  }

 public:
  explicit ConfigReader(SavedConfig& saved) : saved_(saved) {
    root_.push_back({version_key, Place(version_)});
    visit_network_fields(adding_to(network_), saved_.network);
  }

  void open(const JsonPath& path, bool array) override {
    if (path.empty()) {
      if (array) throw JsonError("it is no object");
    } else if (path.size() == 1 && !array && path[0] == network_key) {
      if (std::exchange(has_network_, true)) throw_stands_twice(path);
    } else if (path.size() == 1 && !array && path[0] == optimizer_key) {
      if (saved_.optimizer) throw_stands_twice(path);
      visit_optimizer_fields(adding_to(optimizer_), saved_.optimizer.emplace());
      optimizer_.push_back({"step_count", Place(saved_.step_count)});
    } else {
      const Place& place = take(path);
      if (!array) wrong(path, " is of the wrong kind");
      place.clear(path);
    }
  }

  void close(const JsonPath& path) override {
    if (!path.empty()) return;
    check_complete(root_, "");
    if (!has_network_) throw JsonError("network is missing");
    check_complete(network_, "network.");
    check_complete(optimizer_, "optimizer.");
  }

  void scalar(const JsonPath& path, JsonScalar value) override {
    if (path.empty()) throw JsonError("it is no object");
    const bool element = path.back() == json_element;
    (element ? list_ : take(path)).set(path, value, element);
    if (path.size() == 1 && version_ != format_version) {
      throw JsonError("version is " + std::to_string(version_) +
                      ", which this version does not know");
    }
  }

 private:
  static constexpr const char* version_key = "version";
  static constexpr const char* network_key = "network";
  static constexpr const char* optimizer_key = "optimizer";

  // The place of a member that is known, at the right depth, and stands there for the first time.
  const Place& take(const JsonPath& path) {
    Members* const members = path.size() == 1           ? &root_
                             : path.size() > 2          ? nullptr
                             : path[0] == network_key   ? &network_
                             : path[0] == optimizer_key ? &optimizer_
                                                        : nullptr;
    if (members != nullptr) {
      for (Member& member : *members) {
        if (member.name != path.back()) continue;
        if (std::exchange(member.taken, true)) throw_stands_twice(path);
        return list_ = member.place;
      }
    }
    const bool object = path.size() == 1 && (path[0] == network_key || path[0] == optimizer_key);
    wrong(path, object ? " is of the wrong kind" : " is nothing that this version knows");
  }

  static void check_complete(const Members& members, const char* object) {
    for (const Member& member : members) {
      if (!member.taken) throw JsonError(std::string(object) + member.name + " is missing");
    }
  }

  SavedConfig& saved_;
  std::uint64_t version_ = 0;
  bool has_network_ = false;
  Members root_, network_, optimizer_;
  Place list_;  // of the last member, which elements belong to
};

}  // namespace

std::string config_text(const MlpConfig& network, const Optimizer* optimizer) {
  ObjectText members;
  members.add_json("version", json_of(format_version));
  ObjectText of_network;
  visit_network_fields(of_network, network);
  members.add_json("network", of_network.object());
  if (optimizer == nullptr) return members.object();
  ObjectText of_optimizer;
  visit_optimizer_fields(of_optimizer, optimizer->config());
  of_optimizer.add_json("step_count", json_of(optimizer->step_count()));
  members.add_json("optimizer", of_optimizer.object());
  return members.object();
}

SavedConfig parse_config(std::string_view text, const MlpConfig& network) {
  SavedConfig saved{network, std::nullopt, 0};
  ConfigReader reader(saved);
  read_json(std::string(text), reader);
  return saved;
}

}  // namespace simdrop::detail
