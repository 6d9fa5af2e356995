#include "cli/train_file.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <vector>

#include "cli/divergence.h"
#include "cli/json_file.h"
#include "cli/option_values.h"
#include "cli/train_config.h"
#include "io/byte_source.h"
#include "io/checkpoint_config.h"
#include "io/json_reader.h"
#include "io/safetensors.h"
#include "mlp/config_fields.h"

namespace simdrop::cli {
namespace {

constexpr const char* metadata_key = "simdrop.train";
constexpr const char* examples_key = "examples";

TrainArguments filled_in(TrainArguments arguments, const TrainerConfig& config) {
  arguments.layers = config.network.widths;
  arguments.keep_prob = config.network.keep_prob;
  arguments.loss = config.network.loss;
  arguments.learning_rate = config.optimizer.learning_rate;
  if (config.optimizer.kind == OptimizerKind::sgd) arguments.momentum = config.optimizer.momentum;
  arguments.batch = config.network.max_batch;
  arguments.epochs = config.epochs;
  return arguments;
}

// Refuses what no run has before memory is taken for it: members that stand twice or are many, long
// lists, values within values.
class RunLimits {
 public:
  explicit RunLimits(const std::string& path) : path_(path) {}

  bool operator()(int depth, Json::parse_event_t event, Json& value) {
    using Event = Json::parse_event_t;
    const bool opens = event == Event::object_start || event == Event::array_start;
    if (event == Event::key && !keys_.insert(value.get_ref<const std::string&>()).second) {
      fail("the argument " + detail::in_quotes(value.get_ref<const std::string&>()) +
           " stands twice");
    }
    if (event == Event::value) ++values_;
    if (keys_.size() > most_members) fail("it has too many arguments");
    if (values_ > most_values) fail("its arguments have too many values");
    if (opens && depth > (event == Event::array_start ? 1 : 0)) fail("its arguments are nested");
    return true;
  }

 private:
  static constexpr std::size_t most_members = 64, most_values = 200'000;

  [[noreturn]] void fail(const std::string& what) const { throw FileError(path_, what); }

  const std::string& path_;
  std::set<std::string> keys_;
  std::size_t values_ = 0;
};

Json run_json(const std::string& path, const Metadata& metadata) {
  const auto text = metadata.find(metadata_key);
  if (text == metadata.end()) throw FileError(path, "was not written by simdrop train --save");
  Json json = Json::parse(
      text->second,
      [limits = RunLimits(path)](int depth, auto event, Json& value) mutable {
        return limits(depth, event, value);
      },
      false);
  if (!json.is_object()) throw FileError(path, "its arguments are no JSON object");
  return json;
}

// Of a path: text that a system takes for one.
bool is_no_path(const Json& value) {
  constexpr std::size_t longest = 4096;
  if (!value.is_string()) return false;
  const auto& text = value.get_ref<const std::string&>();
  return text.size() > longest || text.find('\0') != std::string::npos;
}

// Whether it has the type of the option: -1, 1.5 and 2^64 would become other whole numbers.
template <class T>
bool is_for(const Json& json, const T* /*value*/) {
  if constexpr (std::is_same_v<T, bool>) return json.is_boolean();
  if constexpr (std::is_integral_v<T>) return json.is_number_unsigned();
  if constexpr (std::is_floating_point_v<T>) return json.is_number();
  return json.is_string();
}
template <class T>
bool is_for(const Json& json, const std::optional<T>* /*value*/) {
  return json.is_null() || is_for(json, static_cast<const T*>(nullptr));
}
template <class T>
bool is_for(const Json& json, const std::vector<T>* /*value*/) {
  return json.is_array() && std::ranges::all_of(json, [](const Json& element) {
           return is_for(element, static_cast<const T*>(nullptr));
         });
}

// The configuration as text, whatever the learning rate of the last step.
std::string text_of(const MlpConfig& network, OptimizerConfig optimizer, double learning_rate) {
  optimizer.learning_rate = learning_rate;
  const Optimizer stateless(optimizer, {});
  return detail::config_text(network, &stateless);
}

}  // namespace

Metadata run_metadata(const TrainArguments& arguments, const TrainerConfig& config,
                      std::size_t examples) {
  const TrainArguments filled = filled_in(arguments, config);
  Json json;
  const auto add = [&](const char* option, const auto& value, auto&&...) { json[option] = value; };
  visit_run_options(filled, add);
  visit_data_options(filled, add);
  json[examples_key] = examples;
  // Paths need not be UTF-8.
  return {{metadata_key, json.dump(-1, ' ', false, Json::error_handler_t::replace)}};
}

TrainArguments saved_arguments(const std::string& path) {
  detail::FileSource source(path);
  const Json json = run_json(path, detail::read_header(source).metadata);
  TrainArguments arguments;
  std::set<std::string> known{examples_key};
  const auto read = [&](const char* option, auto& value, const char* /*help*/,
                        Range range = Range::any, auto&&...) {
    bool right = false;
    try {
      const Json& saved = json.at(option);
      if (is_for(saved, &value) && !is_no_path(saved)) {
        saved.get_to(value);
        right = is_allowed(value, range);
      }
    } catch (const std::exception&) {
    }
    known.insert(option);
    if (right) return;
    throw FileError(path, std::string("its argument --") + option + " is missing or wrong");
  };
  visit_run_options(arguments, read);
  visit_data_options(arguments, read);
  for (const auto& [name, value] : json.items()) {
    if (known.contains(name)) continue;
    throw FileError(path, "its argument " + detail::in_quotes(name) + " is unknown");
  }
  arguments.resume = path;
  try {
    (void)make_config(arguments);
  } catch (const std::invalid_argument& error) {
    throw FileError(path, std::string("its arguments are wrong: ") + error.what());
  }
  return arguments;
}

void check_same_run(const TrainArguments& saved, const TrainArguments& arguments) {
  TrainArguments given = arguments;
  // One value serves every hidden layer; without any it must be 1.
  if (given.keep_prob.size() == 1 && (!saved.keep_prob.empty() || given.keep_prob[0] == 1.0)) {
    given.keep_prob.resize(saved.keep_prob.size(), given.keep_prob[0]);
  }
  Json before;
  visit_run_options(
      saved, [&](const char* option, const auto& value, auto&&...) { before[option] = value; });
  if (saved.schedule == Schedule::linear && given.epochs != saved.epochs) {
    before["epochs"] = saved.epochs;  // the learning rate falls to 0 over them
  }
  const auto check = [&](const char* option, const auto& value, auto&&...) {
    const Json now(value);
    const auto was = before.find(option);
    if (was == before.end() || *was == now) return;
    throw std::invalid_argument(std::string("--") + option + ": " + now.dump() + " given, but " +
                                arguments.resume + " holds a run with " + was->dump());
  };
  visit_run_options(given, check);
  visit_data_options(given, check);
}

Checkpoint load_run(const std::string& path, const TrainerConfig& config, std::size_t examples) {
  Checkpoint run = load_checkpoint(path, config.network);
  const Json json = run_json(path, run.metadata);
  if (!run.optimizer) throw FileError(path, "has no optimiser to go on with");
  const Json trained_on = json.value(examples_key, Json());
  if (!trained_on.is_number_unsigned()) {
    throw FileError(path, "its number of examples is missing or wrong");
  }
  if (trained_on != Json(examples)) {
    throw FileError(path, "was trained on " + trained_on.dump() + " examples, but there are " +
                              std::to_string(examples));
  }
  const double rate = config.optimizer.learning_rate;
  // That of a linear schedule falls.
  const bool constant = config.schedule == Schedule::constant;
  const double its_rate = constant ? run.optimizer->config().learning_rate : rate;
  if (text_of(run.mlp.config(), run.optimizer->config(), its_rate) !=
      text_of(config.network, config.optimizer, rate)) {
    throw FileError(path, "its network or its optimiser is not that of its arguments");
  }
  const std::string found = find_not_finite(run.mlp, *run.optimizer);
  if (!found.empty()) throw FileError(path, "holds a run that had diverged: " + found);
  const std::size_t steps = steps_per_epoch(config, examples);
  const std::uint64_t done = run.optimizer->step_count();
  if (done % steps != 0) {
    throw FileError(path, "ends within an epoch: after " + std::to_string(done) + " steps, " +
                              std::to_string(steps) + " of which are an epoch");
  }
  if (done / steps >= config.epochs) {
    throw std::invalid_argument("--epochs: " + std::to_string(config.epochs) + ", but " + path +
                                " has done " + std::to_string(done / steps) +
                                (constant ? "; allowed: more" : "; a linear schedule ends there"));
  }
  return run;
}

}  // namespace simdrop::cli
