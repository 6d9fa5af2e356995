#include "cli/train.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <stdexcept>
#include <string_view>

#include "cli/divergence.h"
#include "cli/environment.h"
#include "cli/file_options.h"
#include "cli/json_file.h"
#include "cli/terminal.h"
#include "cli/train_config.h"
#include "cli/train_file.h"
#include "cli/trainer.h"
#include "io/output_file.h"
#include "mlp/config_fields.h"

namespace simdrop::cli {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

std::vector<std::string> texts(const std::vector<double>& values) {
  std::vector<std::string> result;
  result.reserve(values.size());
  for (const double value : values) result.push_back(shortest(value));
  return result;
}

std::string dropped_unit(const MlpConfig& network) {
  if (network.dropout_unit == DropoutUnit::element) return "elements";
  const std::size_t group = network.dropout_group;
  return "neurons, for " + (group == 0 ? "a batch" : std::to_string(group) + " examples") +
         " at a time" + (network.lazy_updates ? "; lazy updates" : "");
}

std::string describe(const NamedData& named, const TrainerConfig& config, const Trainer& trainer) {
  const MlpConfig& network = config.network;
  const OptimizerConfig& optimizer = config.optimizer;
  std::vector<std::string> widths;
  for (const std::size_t width : network.widths) widths.push_back(std::to_string(width));
  const Table table({{"", 9, true}, {"", 0, true}});
  std::string kind = detail::name_of(optimizer.kind);
  if (optimizer.momentum > 0.0) {
    kind += (optimizer.nesterov ? ", Nesterov momentum " : ", momentum ") +
            shortest(optimizer.momentum);
  }
  if (optimizer.weight_decay > 0.0) kind += ", weight decay " + shortest(optimizer.weight_decay);
  if (optimizer.max_norm > 0.0) kind += ", max norm " + shortest(optimizer.max_norm);
  return table.row({"data", named.name + ": " + grouped(named.data.train.rows()) + " training, " +
                                grouped(named.data.test.rows()) + " test examples"}) +
         table.row({"network", joined(widths, "-") + ", " +
                                   grouped(trainer.network().num_parameters()) + " parameters, " +
                                   detail::name_of(network.loss)}) +
         table.row({"keep_prob", "input " + shortest(network.input_keep_prob) +
                                     (network.keep_prob.empty() ? "" : ", hidden ") +
                                     joined(texts(network.keep_prob), ", ")}) +
         table.row({"dropped", dropped_unit(network)}) +
         table.row({"optimiser", kind + ", learning rate " + shortest(optimizer.learning_rate) +
                                     (config.schedule == Schedule::linear ? " falling to 0" : "") +
                                     ", batch " + std::to_string(network.max_batch)}) +
         "\n";
}

Json config_json(const NamedData& named, const TrainerConfig& config, const Trainer& trainer) {
  Json json{{"data", named.name},
            {"train_examples", named.data.train.rows()},
            {"test_examples", named.data.test.rows()},
            {"parameters", trainer.network().num_parameters()}};
  const auto add = [&](const auto& field, const auto& value) {
    const std::string_view name = field.name;
    json[name == "widths" ? "layers" : name == "kind" ? "optimizer" : field.name] = value;
  };
  detail::visit_network_fields(add, config.network);
  detail::visit_optimizer_fields(add, config.optimizer);
  json["lr_schedule"] = config.schedule;
  json["epochs"] = config.epochs;
  json["batch"] = config.network.max_batch;
  return json;
}

struct Evaluations {
  std::optional<Evaluation> train;  // not after every epoch
  Evaluation test;
};

Json epoch_json(const EpochProgress& progress, const Evaluations& evaluations) {
  Json json{{"epoch", progress.epoch + 1},
            {"loss", progress.loss},
            {"test_loss", evaluations.test.loss},
            {"test_accuracy", evaluations.test.accuracy},
            {"seconds", progress.seconds},
            {"train_seconds", progress.train_seconds},
            {"ms_per_step", 1e3 * progress.seconds / static_cast<double>(progress.step)},
            {"examples_per_second", progress.examples_per_second}};
  if (evaluations.train) {
    json["train_loss"] = evaluations.train->loss;
    json["train_accuracy"] = evaluations.train->accuracy;
  }
  return json;
}

// Prints the training of one network as it goes.
class Report {
 public:
  Report(std::size_t begin, std::size_t epochs)
      : begin_(begin), epochs_(epochs), start_(Clock::now()) {}

  void step(const EpochProgress& progress) {
    if (!line_.due()) return;
    const double done = static_cast<double>(progress.epoch) +
                        static_cast<double>(progress.step) / static_cast<double>(progress.steps);
    line_.show("epoch " + std::to_string(progress.epoch + 1) + "/" + std::to_string(epochs_) +
               "  step " + std::to_string(progress.step) + "/" + std::to_string(progress.steps) +
               "  loss " + fixed(progress.loss, 4) + "  accuracy " + percent(progress.accuracy) +
               "  " + rate(progress) + " examples/s  " + time_left(done) + " left");
  }

  void epoch(const EpochProgress& progress, const Evaluations& evaluations) {
    line_.clear();
    print(table_.row({std::to_string(progress.epoch + 1), fixed(progress.loss, 4),
                      evaluations.train ? percent(evaluations.train->accuracy) : "",
                      percent(evaluations.test.accuracy), rate(progress),
                      time_left(static_cast<double>(progress.epoch + 1))}));
  }

  [[nodiscard]] std::string header() const { return table_.header(); }

 private:
  static std::string rate(const EpochProgress& progress) {
    return grouped(static_cast<std::size_t>(progress.examples_per_second));
  }

  [[nodiscard]] std::string time_left(double epochs_done) const {
    const auto begin = static_cast<double>(begin_);
    return duration(seconds_since(start_) * (static_cast<double>(epochs_) - epochs_done) /
                    (epochs_done - begin));
  }

  std::size_t begin_, epochs_;
  Clock::time_point start_;
  ProgressLine line_;
  Table table_{{{"epoch"},
                {"loss", 8},
                {"train acc", 9},
                {"test acc", 9},
                {"examples/s", 11},
                {"time left", 11}}};
};

// Each epoch that is evaluated goes to `epochs`.
void run_epochs(const TrainArguments& arguments, const TrainerConfig& config,
                const io::TrainTest& data, Trainer& trainer, Json& epochs) {
  const std::size_t begin = trainer.epochs_done();
  const std::size_t left = config.epochs - begin;
  const std::size_t end =
      begin + (arguments.stop_after == 0 ? left : std::min(left, arguments.stop_after));
  const Metadata metadata = run_metadata(arguments, config, data.train.rows());
  Report report(begin, end);
  print(report.header());
  for (std::size_t epoch = begin; epoch < end; ++epoch) {
    const EpochProgress progress =
        trainer.run_epoch([&](const EpochProgress& now) { report.step(now); });
    const bool last = epoch + 1 == end;
    if (last || (epoch + 1) % arguments.eval_every == 0) {
      Evaluations evaluations{{}, trainer.evaluate(data.test)};
      if (last || arguments.eval_train == EvalTrain::every)
        evaluations.train = trainer.evaluate(data.train);
      report.epoch(progress, evaluations);
      epochs.push_back(epoch_json(progress, evaluations));
    }
    // Evaluated first, for what diverged must not replace the last good file.
    if (!arguments.save.empty()) trainer.save(arguments.save, metadata, !arguments.no_sync);
  }
}

}  // namespace

void run_train(const TrainArguments& arguments) {
  check_files(arguments);
  JsonFile file(arguments.json_path, arguments.no_sync);
  // A place that can't be written is known before the work, too.
  if (!arguments.save.empty()) (void)detail::OutputFile(arguments.save);
  const TrainerConfig config = make_config(arguments);
  const NamedData named = load_data(arguments, config.network.widths.back());
  const io::Dataset& train = named.data.train;
  Trainer trainer = arguments.resume.empty()
                        ? Trainer(config, train)
                        : Trainer(config, train, load_run(arguments.resume, config, train.rows()));
  print(environment_line(arguments.threads) + describe(named, config, trainer));

  Json json{{"environment", environment_json(arguments.threads)},
            {"config", config_json(named, config, trainer)},
            {"epochs", Json::array()}};
  const Clock::time_point start = Clock::now();
  try {
    run_epochs(arguments, config, named.data, trainer, json["epochs"]);
  } catch (const Divergence& found) {
    throw std::runtime_error(std::string(found.what()) + "; a smaller --lr may help");
  }
  json["train_accuracy"] = json["epochs"].back()["train_accuracy"];
  json["test_accuracy"] = json["epochs"].back()["test_accuracy"];
  json["train_seconds"] = json["epochs"].back()["train_seconds"];
  json["seconds"] = seconds_since(start);
  print("\ntrain accuracy " + percent(json["train_accuracy"].get<double>()) + ", test accuracy " +
        percent(json["test_accuracy"].get<double>()) + " after " +
        duration(json["seconds"].get<double>()) + "\n");
  file.commit(json);
}

}  // namespace simdrop::cli
