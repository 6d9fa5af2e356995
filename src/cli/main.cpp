// The simdrop program: reads the command line and runs a subcommand.
// Exit codes: 0 done, 1 a file or the run failed, 2 wrong arguments.

#include <CLI/CLI.hpp>
#include <exception>
#include <iostream>
#include <limits>
#include <stdexcept>
#include <utility>

#include "cli/demo.h"
#include "cli/environment.h"
#include "cli/overhead.h"
#include "cli/train.h"
#include "cli/train_arguments.h"
#include "cli/train_file.h"

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

const double kLargest = std::numeric_limits<double>::max();

CLI::Validator probability() {
  return in_range(0.0, 1.0, "0 <= keep_prob <= 1");
}
CLI::Validator non_negative() {
  return in_range(0.0, kLargest, ">= 0");
}
CLI::Validator at_least_one() {
  return in_range(1.0, kLargest, ">= 1");
}

template <class T>
CLI::Option* add_list(CLI::App& app, const char* name, std::vector<T>& values,
                      const char* description) {
  return app.add_option(name, values, description)->delimiter(',')->capture_default_str();
}

void add_common(CLI::App& app, int& threads, std::string& json_path) {
  app.add_option("--threads", threads, "OpenMP threads; 0 = all")
      ->check(in_range(0.0, 65536.0, "0 to 65536"))
      ->capture_default_str();
  app.add_option("--json", json_path, "also write the results to FILE")->type_name("FILE");
}

void add_data_options(CLI::App& app, TrainArguments& arguments) {
  app.add_option("--data", arguments.data,
                 "fashion-mnist (Debian's package dataset-fashion-mnist), moons (made on the fly), "
                 "or a directory of IDX files under MNIST's names, .gz or not")
      ->type_name("NAME|DIR")
      ->default_str("fashion-mnist");
  app.add_option("--train-images", arguments.files.train_images,
                 "IDX files instead of --data: all four")
      ->type_name("FILE");
  app.add_option("--train-labels", arguments.files.train_labels)->type_name("FILE");
  app.add_option("--test-images", arguments.files.test_images)->type_name("FILE");
  app.add_option("--test-labels", arguments.files.test_labels)->type_name("FILE");
  app.add_option("--train-limit", arguments.train_limit,
                 "train on N examples drawn at random by the seed; 0 = all")
      ->check(non_negative())
      ->type_name("N")
      ->capture_default_str();
}

void add_network_options(CLI::App& app, TrainArguments& arguments) {
  add_list(app, "--layers", arguments.layers, "widths from input to output")
      ->check(at_least_one())
      ->type_name("N,N,...")
      ->default_str("784,1024,1024,10 (moons: 2,64,64,1)");
  add_list(app, "--keep-prob", arguments.keep_prob,
           "probability that a hidden unit is kept: one value, or one per hidden layer")
      ->check(probability());
  app.add_option("--input-keep-prob", arguments.input_keep_prob,
                 "probability that an input feature is kept")
      ->check(probability())
      ->capture_default_str();
  app.add_option(
         "--dropout-unit", arguments.dropout_unit,
         "what dropout drops: units of each example by itself, or neurons for a whole batch, "
         "whose step is that of the smaller network left")
      ->check(CLI::IsMember({"element", "neuron"}))
      ->capture_default_str();
  app.add_option("--dropout-group", arguments.dropout_group,
                 "with --dropout-unit neuron: so many examples share a mask; 0 = the batch")
      ->check(non_negative())
      ->type_name("N")
      ->capture_default_str();
  app.add_flag("--lazy-updates", arguments.lazy_updates,
               "with --dropout-unit neuron: leave the weights of dropped neurons and their "
               "momentum as they are");
  app.add_option("--loss", arguments.loss, "of the last layer")
      ->check(CLI::IsMember({"softmax_ce", "sigmoid_bce", "identity_mse"}))
      ->default_str("softmax_ce (moons: sigmoid_bce)");
  app.add_option("--init", arguments.init, "initial weights")
      ->check(CLI::IsMember({"he", "xavier"}))
      ->capture_default_str();
}

void add_optimizer_options(CLI::App& app, TrainArguments& arguments) {
  app.add_option("--optimizer", arguments.optimizer, "update rule")
      ->check(CLI::IsMember({"sgd", "adam", "adamw"}))
      ->capture_default_str();
  app.add_option("--lr", arguments.learning_rate, "learning rate")
      ->check(non_negative())
      ->default_str("0.05 (adam, adamw: 0.001)");
  app.add_option("--lr-schedule", arguments.schedule, "linear: falls to 0 over all steps")
      ->check(CLI::IsMember({"constant", "linear"}))
      ->capture_default_str();
  app.add_option("--momentum", arguments.momentum, "of sgd, in [0, 1)")
      ->check(non_negative())
      ->default_str("0.9");
  app.add_flag("--nesterov", arguments.nesterov, "Nesterov's momentum");
  app.add_option("--weight-decay", arguments.weight_decay, "L2 penalty; decoupled with adamw")
      ->check(non_negative())
      ->capture_default_str();
  app.add_option(
         "--max-norm", arguments.max_norm,
         "most that the norm of the weights into a unit may be (Srivastava et al.: 2 to 4); "
         "0 = no constraint")
      ->check(non_negative())
      ->capture_default_str();
  app.add_option("--epochs", arguments.epochs, "passes over the training examples")
      ->check(at_least_one())
      ->default_str("5 (moons: 100)");
  app.add_option("--eval-every", arguments.eval_every,
                 "evaluate and report every N epochs, and after the last")
      ->check(at_least_one())
      ->type_name("N")
      ->capture_default_str();
  app.add_option("--eval-train", arguments.eval_train,
                 "evaluate the training examples every time that the test examples are, or last")
      ->check(CLI::IsMember({"every", "last"}))
      ->capture_default_str();
  app.add_option("--batch", arguments.batch, "examples of a step")
      ->check(at_least_one())
      ->default_str("128 (moons: 32)");
  app.add_option("--seed", arguments.seed, "of weights, masks, order and subset")
      ->check(non_negative())
      ->capture_default_str();
}

void add_file_options(CLI::App& app, TrainArguments& arguments) {
  app.add_option("--save", arguments.save,
                 "write network, optimiser and position to FILE (safetensors) after each epoch")
      ->type_name("FILE");
  app.add_option("--resume", arguments.resume,
                 "go on with the run in FILE of --save, with the arguments that it began with")
      ->type_name("FILE");
  app.add_option("--stop-after", arguments.stop_after,
                 "stop after N epochs, for --resume to go on; 0 = all")
      ->check(non_negative())
      ->type_name("N")
      ->capture_default_str();
}

void add_overhead_options(CLI::App& app, OverheadConfig& config) {
  add_list(app, "--widths", config.widths, "widths of the two hidden layers")
      ->check(at_least_one());
  add_list(app, "--batches", config.batches, "examples of a step")->check(at_least_one());
  add_list(app, "--keep-probs", config.keep_probs, "keep_prob of the hidden layers")
      ->check(probability());
  app.add_option("--input-keep-prob", config.input_keep_prob, "keep_prob of the input")
      ->check(probability())
      ->capture_default_str();
  app.add_option("--units", config.units,
                 "what is dropped: element, neuron, lazy (neuron with lazy updates); each is timed "
                 "beside a step without dropout")
      ->delimiter(',')
      ->check(CLI::IsMember({"element", "neuron", "lazy"}))
      ->type_name("NAME,...")
      ->default_str("element,neuron,lazy");
  app.add_option("--seconds", config.seconds, "time for each row of the report")
      ->check(non_negative())
      ->capture_default_str();
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
    add_data_options(train_app, train);
    add_network_options(train_app, train);
    add_optimizer_options(train_app, train);
    add_file_options(train_app, train);
    add_common(train_app, train.threads, train.json_path);
    add_overhead_options(overhead_app, overhead);
    add_common(overhead_app, overhead.threads, overhead.json_path);
    info_app.add_option("--json", info.json_path, "also write it to FILE")->type_name("FILE");
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
  try {
    return simdrop::cli::run(argc, argv);
  } catch (const std::invalid_argument& error) {
    return report(error, simdrop::cli::kUsage);
  } catch (const std::exception& error) {
    return report(error, simdrop::cli::kFailed);
  }
}
