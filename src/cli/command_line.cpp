#include "cli/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <optional>
#include <set>
#include <sstream>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include "cli/option_values.h"
#include "cli/terminal.h"
#include "cli/train_config.h"
#include "cli/train_file.h"
#include "mlp/config_fields.h"

namespace simdrop::cli {
namespace {

constexpr const char* kQuickVariable = "SIMDROP_QUICK_DEMO";
const std::vector<std::string> kUnits{"element", "neuron", "lazy"};
const std::vector<std::string> kSwitchValues{"true", "false"};

// What an option that may be left out, or that is a list, holds.
template <class T>
T unwrapped(const T& value);
template <class T>
T unwrapped(const std::optional<T>& value);
template <class T>
T unwrapped(const std::vector<T>& value);

std::string text_of(const std::string& value) {
  return value;
}
std::string text_of(double value) {
  return shortest(value);
}
template <class T>
std::string text_of(const T& value) {
  if constexpr (detail::NamedEnum<T>) {
    return detail::name_of(value);
  } else {
    return std::to_string(value);
  }
}
template <class T>
std::string text_of(const std::optional<T>& value) {
  return value ? text_of(*value) : "";
}
template <class T>
std::string text_of(const std::vector<T>& values) {
  std::vector<std::string> texts;
  texts.reserve(values.size());
  for (const T& value : values) texts.push_back(text_of(value));
  return joined(texts, ",");
}

// Binds options to the variables that they set. CLI11 finds the words of each; what they mean, and
// what the help says of it, is decided here, in the same words with each of its versions.
struct AddOption {
  CLI::App& app;
  std::set<std::string>& lists;  // the options that take one

  template <class Value>
  void operator()(const std::string& name, Value& value, const std::string& help,
                  Range range = Range::any, const char* shown_value = nullptr,
                  const char* shown_default = nullptr) const {
    using T = decltype(unwrapped(value));
    if constexpr (std::is_same_v<T, bool>) {
      add_switch(name, value, help);
    } else {
      constexpr bool is_list =
          !std::is_same_v<T, Value> && !std::is_same_v<std::optional<T>, Value>;
      const bool is_name = std::is_same_v<T, std::string>;
      const char* const kind = is_name || detail::NamedEnum<T> ? "NAME" : "N";
      const std::string allowed =
          is_name ? "" : (is_list ? " (each " : " (") + allowed_values<T>(range) + ")";
      add(name, help + allowed, is_list,
          [&value, name, range](const std::string& text) { read_value(name, text, range, value); })
          ->type_name(shown_value != nullptr ? shown_value
                      : is_list              ? "N,..."
                                             : kind)
          ->default_str(shown_default != nullptr ? shown_default : text_of(value));
    }
  }

  template <class Read>
  CLI::Option* add(const std::string& name, const std::string& help, bool is_list,
                   Read read) const {
    const auto read_word = [read](const CLI::results_t& words) {
      read(words.front());
      return true;
    };
    if (is_list) lists.insert("--" + name);
    return app.add_option("--" + name, read_word, help);
  }

 private:
  void add_switch(const std::string& name, bool& value, const std::string& help) const {
    const auto check = [name](const std::string& text) -> std::string {
      if (!switch_value(text)) refuse(name, quoted(text, text), allowed_text(kSwitchValues));
      return {};
    };
    app.add_flag("--" + name, value, help)->check(CLI::Validator(check, ""));
  }
};

void add_threads(const AddOption& add, int& threads) {
  add("threads", threads, "0 = as many as this process may use", Range::threads);
}

void add_json(const AddOption& add, std::string& json_path, bool& no_sync) {
  add("json", json_path, "also write the results to FILE; -: to standard output alone", Range::any,
      "FILE");
  add("no-sync", no_sync, "don't wait until files are on the disk");
}

void add_train_options(const AddOption& add, TrainArguments& arguments) {
  visit_data_options(arguments, add);
  visit_run_options(arguments, add);
  visit_report_options(arguments, add);
  add_threads(add, arguments.threads);
  add_json(add, arguments.json_path, arguments.no_sync);
}

void add_overhead_options(const AddOption& add, OverheadConfig& config) {
  using enum Range;
  add("widths", config.widths, "widths of the two hidden layers", at_least_one);
  add("batches", config.batches, "examples of a step", at_least_one);
  add("keep-probs", config.keep_probs, "keep_prob of the hidden layers", probability);
  add("input-keep-prob", config.input_keep_prob, "keep_prob of the input", probability);
  const auto read_units = [&config](const std::string& text) {
    config.units = fields_of(text);
    for (const std::string& unit : config.units) {
      if (std::ranges::find(kUnits, unit) != kUnits.end()) continue;
      refuse("units", quoted(unit, text), allowed_text(kUnits));
    }
  };
  add.add("units",
          "what is dropped, each timed beside a step without dropout; lazy is neuron with lazy "
          "updates (each " +
              allowed_text(kUnits) + ")",
          true, read_units)
      ->type_name("NAME,...")
      ->default_str(joined(config.units, ","));
  add("seconds", config.seconds, "time for each row of the report", not_negative);
  add_threads(add, config.threads);
  add_json(add, config.json_path, config.no_sync);
}

// A list may also be given as words: one with commas comes of them. CLI11 itself would drop
// brackets and empty fields.
std::vector<std::string> with_lists_joined(const std::vector<std::string>& words,
                                           const std::set<std::string>& lists) {
  std::vector<std::string> result;
  bool in_list = false;
  bool first = false;  // of the list; it may begin with a minus
  for (const std::string& word : words) {
    if (in_list && !first && !word.starts_with('-')) {
      result.back() += "," + word;
      continue;
    }
    result.push_back(word);
    in_list = first || lists.contains(word);
    first = !first && in_list;
  }
  return result;
}

// The options, and what they are read into.
struct Parser {
  std::set<std::string> lists;
  CLI::App app{"Dropout at the speed of memory: trains MLPs and measures what dropout costs.",
               "simdrop"};
  CommandLine& line;
  CLI::App& train = *app.add_subcommand("train", "train a network with or without dropout");
  CLI::App& overhead =
      *app.add_subcommand("overhead", "time training steps without and with dropout");
  CLI::App& info = *app.add_subcommand("info", "show CPU, kernel tables and build");
  CLI::App& demo =
      *app.add_subcommand("demo", "overhead report, then Fashion-MNIST without and with dropout");

  explicit Parser(CommandLine& result) : line(result) {
    app.set_version_flag("--version", std::string("simdrop ") + version());
    app.require_subcommand(1);
    add_train_options({train, lists}, line.train);
    add_overhead_options({overhead, lists}, line.overhead);
    add_json({info, lists}, line.info.json_path, line.info.no_sync);
    AddOption{demo, lists}(
        "quick", line.quick_demo,
        std::string("a tenth of the epochs and of the time to measure; so does ") + kQuickVariable +
            "=1 in the environment");
  }

  void parse(const std::vector<std::string>& words) {
    std::vector<std::string> joined_words = with_lists_joined(words, lists);
    std::ranges::reverse(joined_words);  // as CLI11 takes them
    app.parse(joined_words);
    line.command = train.parsed()      ? Command::train
                   : overhead.parsed() ? Command::overhead
                   : info.parsed()     ? Command::info
                                       : Command::demo;
  }
};

// Each option once, and the value of --NAME=VALUE a word by itself if there is none: CLI11 would
// take the next option for it.
std::vector<std::string> checked_words(const std::vector<std::string>& words) {
  std::set<std::string> given;
  std::vector<std::string> checked;
  for (const std::string& word : words) {
    const std::string name = word.substr(0, word.find('='));
    if (word.starts_with("--") && !given.insert(name).second) {
      throw std::invalid_argument(name + " is given twice; allowed: once");
    }
    if (word.starts_with("--") && word.size() == name.size() + 1) {
      checked.insert(checked.end(), {name, ""});
    } else {
      checked.push_back(word);
    }
  }
  return checked;
}

bool quick_in_environment() {
  const char* const text = std::getenv(kQuickVariable);
  if (text == nullptr || *text == '\0') return false;
  const std::optional<bool> quick = switch_value(text);
  if (quick) return *quick;
  throw std::invalid_argument(std::string("environment variable ") + kQuickVariable + " is '" +
                              text + "'; allowed: " + allowed_text(kSwitchValues));
}

void check_no_sync(bool no_sync, bool writes) {
  if (!no_sync || writes) return;
  throw std::invalid_argument(
      "--no-sync: nothing is written; allowed: with an option that names a file");
}

// A run goes on with the arguments that it began with. given: those of the command line alone.
CommandLine resumed(const TrainArguments& given, const std::vector<std::string>& words) {
  CommandLine line;
  line.train = saved_arguments(given.resume);
  const TrainArguments saved = line.train;
  // Data that are given anew take the place of the others.
  if (given.data) line.train.files = {};
  if (any_file(given.files)) line.train.data.reset();
  Parser(line).parse(words);
  check_same_run(saved, line.train);
  return line;
}

}  // namespace

CommandLine read_command_line(const std::vector<std::string>& words) {
  const std::vector<std::string> checked = checked_words(words);
  CommandLine line;
  Parser parser(line);
  try {
    parser.parse(checked);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() != 0) {
      throw std::invalid_argument(std::string(error.what()) + " (see simdrop --help)");
    }
    std::ostringstream out;
    parser.app.exit(error, out, out);
    line.text = out.str();
    return line;
  }
  if (line.command == Command::demo && parser.demo.count("--quick") == 0) {
    line.quick_demo = quick_in_environment();
  }
  check_no_sync(line.overhead.no_sync, !line.overhead.json_path.empty());
  check_no_sync(line.info.no_sync, !line.info.json_path.empty());
  check_no_sync(line.train.no_sync, !(line.train.json_path + line.train.save).empty());
  if (!line.train.resume.empty()) line = resumed(line.train, checked);
  check_memory(memory_need(line));
  return line;
}

MemoryNeed memory_need(const CommandLine& line) {
  if (line.command == Command::train) return memory_need(line.train);
  if (line.command == Command::overhead) return memory_need(line.overhead);
  return {};
}

}  // namespace simdrop::cli
