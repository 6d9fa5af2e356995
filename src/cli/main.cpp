// The simdrop program: reads the command line and runs a subcommand.
// Exit codes: 0 done, 1 a file or the run failed, 2 wrong arguments.

#include <CLI/CLI.hpp>
#include <exception>
#include <iostream>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "cli/demo.h"
#include "cli/environment.h"
#include "cli/overhead.h"
#include "cli/train.h"
#include "cli/train_arguments.h"
#include "cli/train_file.h"
#include "mlp/config_fields.h"

namespace simdrop::cli {
namespace {

constexpr int kFailed = 1;
constexpr int kUsage = 2;

// CLI11's own Range lets NaN pass.
CLI::Validator in_range(double low, double high, const std::string& allowed) {
  return {[=](const std::string& text) -> std::string {
            double value = 0.0;
            if (!CLI::detail::lexical_cast(text, value)) return text + " is not a number";
            if (value >= low && value <= high) return {};
            return text + " is out of range; allowed: " + allowed;
          },
          ""};
}

CLI::Validator validator(Range range) {
  constexpr double largest = std::numeric_limits<double>::max();
  switch (range) {
    case Range::probability:
      return in_range(0.0, 1.0, "0 <= keep_prob <= 1");
    case Range::not_negative:
      return in_range(0.0, largest, ">= 0");
    default:
      return in_range(1.0, largest, ">= 1");
  }
}

// One option for each kind of value. value: a T, or std::optional<T>, which the help shows as
// empty.
template <detail::NamedEnum T, class Value>
CLI::Option* add_names(CLI::App& app, const std::string& name, Value& value, const char* help) {
  const auto& names = detail::EnumNames<T>::values;
  return app
      .add_option_function<std::string>(
          name, [&value](const std::string& given) { value = *detail::value_named<T>(given); },
          help)
      ->check(CLI::IsMember(std::vector<std::string>(names.begin(), names.end())));
}

template <class T>
CLI::Option* add_value(CLI::App& app, const std::string& name, T& value, const char* help) {
  return app.add_option(name, value, help)->capture_default_str();
}
template <class T>
CLI::Option* add_value(CLI::App& app, const std::string& name, std::vector<T>& value,
                       const char* help) {
  return app.add_option(name, value, help)->delimiter(',')->capture_default_str();
}
template <class T>
CLI::Option* add_value(CLI::App& app, const std::string& name, std::optional<T>& value,
                       const char* help) {
  return app.add_option(name, value, help);
}
template <detail::NamedEnum T>
CLI::Option* add_value(CLI::App& app, const std::string& name, T& value, const char* help) {
  return add_names<T>(app, name, value, help)->default_str(detail::name_of(value));
}
template <detail::NamedEnum T>
CLI::Option* add_value(CLI::App& app, const std::string& name, std::optional<T>& value,
                       const char* help) {
  return add_names<T>(app, name, value, help);
}
CLI::Option* add_value(CLI::App& app, const std::string& name, std::string& value,
                       const char* help) {
  return app.add_option(name, value, help);
}
CLI::Option* add_value(CLI::App& app, const std::string& name, bool& value, const char* help) {
  return app.add_flag(name, value, help);
}

template <class T>
CLI::Option* add(CLI::App& app, const Option& option, T& value) {
  CLI::Option* const added = add_value(app, std::string("--") + option.name, value, option.help);
  if (option.range != Range::any) added->check(validator(option.range));
  if (option.value != nullptr) added->type_name(option.value);
  if (option.default_text != nullptr) added->default_str(option.default_text);
  return added;
}

void add_common(CLI::App& app, int& threads, std::string& json_path) {
  add(app, {"threads", "OpenMP threads; 0 = all"}, threads)
      ->check(in_range(0.0, 65536.0, "0 to 65536"));
  add(app, {"json", "also write the results to FILE", Range::any, "FILE"}, json_path);
}

void add_train_options(CLI::App& app, TrainArguments& arguments) {
  const auto add_to_app = [&](const Option& option, auto& value) { add(app, option, value); };
  visit_data_options(arguments, add_to_app);
  visit_network_options(arguments, add_to_app);
  visit_step_options(arguments, add_to_app);
  visit_optimizer_options(arguments, add_to_app);
  visit_report_options(arguments, add_to_app);
}

void add_overhead_options(CLI::App& app, OverheadConfig& config) {
  add(app, {"widths", "widths of the two hidden layers", Range::at_least_one}, config.widths);
  add(app, {"batches", "examples of a step", Range::at_least_one}, config.batches);
  add(app, {"keep-probs", "keep_prob of the hidden layers", Range::probability}, config.keep_probs);
  add(app, {"input-keep-prob", "keep_prob of the input", Range::probability},
      config.input_keep_prob);
  add(app,
      {"units",
       "what is dropped: element, neuron, lazy (neuron with lazy updates); each is timed beside a "
       "step without dropout",
       Range::any, "NAME,...", "element,neuron,lazy"},
      config.units)
      ->check(CLI::IsMember({"element", "neuron", "lazy"}));
  add(app, {"seconds", "time for each row of the report", Range::not_negative}, config.seconds);
}

// The command line, and what it was read into.
struct Program {
  CLI::App app{"Dropout at the speed of memory: trains MLPs and measures what dropout costs."};
  TrainArguments train;
  OverheadConfig overhead;
  InfoConfig info;
  CLI::App& train_app = *app.add_subcommand("train", "train a network with or without dropout");
  CLI::App& overhead_app =
      *app.add_subcommand("overhead", "time training steps without and with dropout");
  CLI::App& info_app = *app.add_subcommand("info", "show CPU, kernel tables and build");
  CLI::App& demo_app =
      *app.add_subcommand("demo", "overhead report, then Fashion-MNIST without and with dropout");

  // saved: what the options of train are unless they are given.
  explicit Program(TrainArguments saved = {}) : train(std::move(saved)) {
    app.set_version_flag("--version", std::string("simdrop ") + version());
    app.require_subcommand(1);
    add_train_options(train_app, train);
    add_common(train_app, train.threads, train.json_path);
    add_overhead_options(overhead_app, overhead);
    add_common(overhead_app, overhead.threads, overhead.json_path);
    add(info_app, {"json", "also write it to FILE", Range::any, "FILE"}, info.json_path);
  }
};

// A run goes on with the arguments that it began with.
void resume_train(const std::string& path, int argc, char** argv) {
  const TrainArguments saved = saved_arguments(path);
  Program again(saved);
  again.app.parse(argc, argv);
  check_same_run(saved, again.train);
  run_train(again.train);
}

int run(int argc, char** argv) {
  Program program;
  try {
    program.app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return program.app.exit(error);
    std::cerr << "simdrop: " << error.what() << " (see simdrop --help)\n";
    return kUsage;
  }
  const bool resume = !program.train.resume.empty();
  if (program.train_app.parsed() && resume) resume_train(program.train.resume, argc, argv);
  if (program.train_app.parsed() && !resume) run_train(program.train);
  if (program.overhead_app.parsed()) run_overhead(program.overhead);
  if (program.info_app.parsed()) run_info(program.info);
  if (program.demo_app.parsed()) run_demo();
  return 0;
}

}  // namespace
}  // namespace simdrop::cli

int main(int argc, char** argv) {
  const auto report = [](const std::exception& error, int code) {
    const std::string what = error.what();
    std::cerr << (what.rfind("simdrop: ", 0) == 0 ? "" : "simdrop: ") << what << '\n';
    return code;
  };
  try {
    return simdrop::cli::run(argc, argv);
  } catch (const std::invalid_argument& error) {
    return report(error, simdrop::cli::kUsage);
  } catch (const std::exception& error) {
    return report(error, simdrop::cli::kFailed);
  }
}
