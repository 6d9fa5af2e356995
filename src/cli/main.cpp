// The simdrop program: reads the command line and runs a subcommand.
// Exit codes: 0 done, 1 a file or the run failed, 2 wrong arguments.

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "cli/demo.h"
#include "cli/environment.h"
#include "cli/overhead.h"
#include "cli/terminal.h"
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

// What an option that may be left out holds.
template <class T>
T unwrapped(const T& value);
template <class T>
T unwrapped(const std::optional<T>& value);

// Binds options to the variables that they set.
struct AddOption {
  CLI::App& app;

  template <class Value>
  CLI::Option* operator()(const char* name, Value& value, const char* help,
                          Range range = Range::any, const char* shown_value = nullptr,
                          const char* shown_default = nullptr) const {
    CLI::Option* const option = bind("--" + std::string(name), value, help);
    if (range != Range::any) option->check(validator(range));
    if (shown_value != nullptr) option->type_name(shown_value);
    if (shown_default != nullptr) option->default_str(shown_default);
    return option;
  }

 private:
  template <class Value>
  CLI::Option* bind(const std::string& name, Value& value, const char* help) const {
    using T = decltype(unwrapped(value));
    if constexpr (std::is_same_v<T, bool>) {
      return app.add_flag(name, value, help);
    } else if constexpr (detail::NamedEnum<T>) {
      using detail::names_of;
      const auto names = names_of(T{});
      const auto read = [&](const std::string& text) { value = *detail::value_named<T>(text); };
      CLI::Option* const option = app.add_option_function<std::string>(name, read, help);
      if constexpr (detail::NamedEnum<Value>) option->default_str(detail::name_of(value));
      return option->check(CLI::IsMember(std::vector<std::string>(names.begin(), names.end())));
    } else {
      CLI::Option* const option = app.add_option(name, value, help);
      if constexpr (std::is_arithmetic_v<Value>) option->capture_default_str();
      return option;
    }
  }
  template <class T>
  CLI::Option* bind(const std::string& name, std::vector<T>& values, const char* help) const {
    return app.add_option(name, values, help)->delimiter(',')->capture_default_str();
  }
};

void add_json(const AddOption& add, std::string& json_path, bool& no_sync) {
  add("json", json_path, "also write the results to FILE; -: to standard output alone", Range::any,
      "FILE");
  add("no-sync", no_sync, "don't wait until files are on the disk");
}

void add_threads(const AddOption& add, int& threads) {
  add("threads", threads, "threads; 0: as many as this process may use")
      ->check(in_range(0.0, 65536.0, "0 to 65536"));
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
  add("units", config.units,
      "what is dropped: element, neuron, lazy (neuron with lazy updates); each is timed beside a "
      "step without dropout",
      any, "NAME,...", "element,neuron,lazy")
      ->check(CLI::IsMember({"element", "neuron", "lazy"}));
  add("seconds", config.seconds, "time for each row of the report", not_negative);
  add_threads(add, config.threads);
  add_json(add, config.json_path, config.no_sync);
}

// The command line, and what it was read into.
struct Program {
  CLI::App app{"Dropout at the speed of memory: trains MLPs and measures what dropout costs."};
  TrainArguments train;
  OverheadConfig overhead;
  InfoConfig info;
  bool quick_demo = false;
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
    add_train_options({train_app}, train);
    add_overhead_options({overhead_app}, overhead);
    add_json({info_app}, info.json_path, info.no_sync);
    demo_app.add_flag("--quick", quick_demo, "a tenth of the epochs and of the time to measure")
        ->envname("SIMDROP_QUICK_DEMO");
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
  if (program.demo_app.parsed()) run_demo(program.quick_demo);
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
  simdrop::cli::fill_standard_descriptors();
  // However OpenMP's threads are told to wait: here the library's own run, which never spin for
  // long.
  for (const char* name : {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME"}) unsetenv(name);
  try {
    return simdrop::cli::run(argc, argv);
  } catch (const std::invalid_argument& error) {
    return report(error, simdrop::cli::kUsage);
  } catch (const std::exception& error) {
    return report(error, simdrop::cli::kFailed);
  }
}
