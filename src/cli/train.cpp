#include "cli/train.h"

#include <chrono>
#include <cmath>
#include <stdexcept>

#include "cli/environment.h"
#include "cli/terminal.h"
#include "cli/trainer.h"

namespace simdrop::cli {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

bool is_moons(const TrainArguments& arguments) {
  return arguments.data == "moons";
}

Loss parse_loss(const TrainArguments& arguments) {
  const std::string name =
      arguments.loss.value_or(is_moons(arguments) ? "sigmoid_bce" : "softmax_ce");
  for (const Loss loss : {Loss::sigmoid_bce, Loss::softmax_ce, Loss::identity_mse}) {
    if (name == loss_name(loss)) return loss;
  }
  throw std::invalid_argument("--loss: unknown value " + name);
}

std::vector<std::size_t> default_layers(bool moons, Loss loss) {
  if (!moons) return {784, 1024, 1024, 10};
  return {2, 64, 64, loss == Loss::softmax_ce ? std::size_t{2} : std::size_t{1}};
}

// One value serves every hidden layer.
std::vector<double> expand_keep_prob(const TrainArguments& arguments, std::size_t hidden) {
  const std::vector<double>& given = arguments.keep_prob;
  if (given.size() == 1) return std::vector<double>(hidden, given.front());
  if (given.size() != hidden) {
    throw std::invalid_argument("--keep-prob: " + std::to_string(given.size()) +
                                " values given; allowed: 1, or one for each of the " +
                                std::to_string(hidden) + " hidden layers");
  }
  return given;
}

OptimizerConfig make_optimizer(const TrainArguments& arguments) {
  OptimizerConfig config;
  const bool sgd = arguments.optimizer == "sgd";
  if (!sgd && (arguments.momentum || arguments.nesterov)) {
    throw std::invalid_argument("--momentum, --nesterov: only for --optimizer sgd");
  }
  config.kind = sgd                              ? OptimizerKind::sgd
                : arguments.optimizer == "adamw" ? OptimizerKind::adamw
                                                 : OptimizerKind::adam;
  config.learning_rate = arguments.learning_rate.value_or(sgd ? 0.05 : 0.001);
  config.momentum = sgd ? arguments.momentum.value_or(0.9) : 0.0;
  config.nesterov = arguments.nesterov;
  config.weight_decay = arguments.weight_decay;
  config.max_norm = arguments.max_norm;
  return config;
}

TrainerConfig make_config(const TrainArguments& arguments) {
  const bool moons = is_moons(arguments);
  TrainerConfig config;
  config.network.loss = parse_loss(arguments);
  config.network.widths =
      arguments.layers.empty() ? default_layers(moons, config.network.loss) : arguments.layers;
  if (config.network.widths.size() < 2) {
    throw std::invalid_argument("--layers: at least an input and an output width are needed");
  }
  config.network.keep_prob = expand_keep_prob(arguments, config.network.widths.size() - 2);
  config.network.input_keep_prob = arguments.input_keep_prob;
  config.network.init = arguments.init == "he" ? Init::he : Init::xavier;
  config.network.seed = arguments.seed;
  config.network.max_batch = arguments.batch.value_or(moons ? 32 : 128);
  config.network.num_threads = arguments.threads;
  config.optimizer = make_optimizer(arguments);
  config.schedule = arguments.schedule == "linear" ? Schedule::linear : Schedule::constant;
  config.epochs = arguments.epochs.value_or(moons ? 100 : 5);
  return config;
}

struct NamedData {
  std::string name;
  io::TrainTest data;
};

NamedData load_data(const TrainArguments& arguments, std::size_t outputs) {
  const io::IdxPaths& files = arguments.files;
  const bool any =
      !(files.train_images + files.train_labels + files.test_images + files.test_labels).empty();
  const bool all = !files.train_images.empty() && !files.train_labels.empty() &&
                   !files.test_images.empty() && !files.test_labels.empty();
  if (any && (!all || arguments.data)) {
    throw std::invalid_argument(
        "--train-images, --train-labels, --test-images, --test-labels: give all four, and no "
        "--data");
  }
  const std::size_t classes = outputs == 1 ? 2 : outputs;
  NamedData result;
  if (is_moons(arguments)) {
    result = {"moons", io::make_moons(arguments.seed)};
  } else if (any) {
    result = {files.train_images, io::load_idx(files, classes)};
  } else {
    std::string directory = arguments.data.value_or("fashion-mnist");
    if (directory == "fashion-mnist") directory = io::kFashionMnistDir;
    result = {directory, io::load_idx(io::find_idx_files(directory), classes)};
  }
  if (arguments.train_limit != 0) {
    result.data.train = io::random_subset(result.data.train, arguments.train_limit, arguments.seed);
  }
  return result;
}

std::vector<std::string> texts(const std::vector<double>& values) {
  std::vector<std::string> result;
  result.reserve(values.size());
  for (const double value : values) result.push_back(shortest(value));
  return result;
}

std::string describe(const NamedData& named, const TrainerConfig& config, const Trainer& trainer) {
  const MlpConfig& network = config.network;
  const OptimizerConfig& optimizer = config.optimizer;
  std::vector<std::string> widths;
  for (const std::size_t width : network.widths) widths.push_back(std::to_string(width));
  const Table table({{"", 9, true}, {"", 0, true}});
  std::string kind = optimizer.kind == OptimizerKind::adam    ? "adam"
                     : optimizer.kind == OptimizerKind::adamw ? "adamw"
                                                              : "sgd";
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
                                   loss_name(network.loss)}) +
         table.row({"keep_prob", "input " + shortest(network.input_keep_prob) +
                                     (network.keep_prob.empty() ? "" : ", hidden ") +
                                     joined(texts(network.keep_prob), ", ")}) +
         table.row({"optimiser", kind + ", learning rate " + shortest(optimizer.learning_rate) +
                                     (config.schedule == Schedule::linear ? " falling to 0" : "") +
                                     ", batch " + std::to_string(network.max_batch)}) +
         "\n";
}

Json config_json(const NamedData& named, const TrainerConfig& config, const Trainer& trainer,
                 const TrainArguments& arguments) {
  const MlpConfig& network = config.network;
  return {{"data", named.name},
          {"train_examples", named.data.train.rows()},
          {"test_examples", named.data.test.rows()},
          {"layers", network.widths},
          {"parameters", trainer.network().num_parameters()},
          {"keep_prob", network.keep_prob},
          {"input_keep_prob", network.input_keep_prob},
          {"loss", loss_name(network.loss)},
          {"init", arguments.init},
          {"optimizer", arguments.optimizer},
          {"momentum", config.optimizer.momentum},
          {"nesterov", config.optimizer.nesterov},
          {"weight_decay", config.optimizer.weight_decay},
          {"max_norm", config.optimizer.max_norm},
          {"learning_rate", config.optimizer.learning_rate},
          {"lr_schedule", arguments.schedule},
          {"epochs", config.epochs},
          {"batch", network.max_batch},
          {"seed", network.seed}};
}

Json epoch_json(const EpochProgress& progress, const Evaluation& train, const Evaluation& test) {
  return {{"epoch", progress.epoch + 1},
          {"loss", progress.loss},
          {"train_loss", train.loss},
          {"train_accuracy", train.accuracy},
          {"test_loss", test.loss},
          {"test_accuracy", test.accuracy},
          {"seconds", progress.seconds},
          {"ms_per_step", 1e3 * progress.seconds / static_cast<double>(progress.step)},
          {"examples_per_second", progress.examples_per_second}};
}

// Prints the training of one network as it goes.
class Report {
 public:
  explicit Report(std::size_t epochs) : epochs_(epochs), start_(Clock::now()) {}

  void step(const EpochProgress& progress) {
    if (!line_.due()) return;
    const double done = static_cast<double>(progress.epoch) +
                        static_cast<double>(progress.step) / static_cast<double>(progress.steps);
    line_.show("epoch " + std::to_string(progress.epoch + 1) + "/" + std::to_string(epochs_) +
               "  step " + std::to_string(progress.step) + "/" + std::to_string(progress.steps) +
               "  loss " + fixed(progress.loss, 4) + "  accuracy " + percent(progress.accuracy) +
               "  " + rate(progress) + " examples/s  " + time_left(done) + " left");
  }

  void epoch(const EpochProgress& progress, const Evaluation& train, const Evaluation& test) {
    line_.clear();
    print(table_.row({std::to_string(progress.epoch + 1), fixed(progress.loss, 4),
                      percent(train.accuracy), percent(test.accuracy), rate(progress),
                      time_left(static_cast<double>(progress.epoch + 1))}));
  }

  [[nodiscard]] std::string header() const { return table_.header(); }

 private:
  static std::string rate(const EpochProgress& progress) {
    return grouped(static_cast<std::size_t>(progress.examples_per_second));
  }

  [[nodiscard]] std::string time_left(double epochs_done) const {
    return duration(seconds_since(start_) * (static_cast<double>(epochs_) / epochs_done - 1.0));
  }

  std::size_t epochs_;
  Clock::time_point start_;
  ProgressLine line_;
  Table table_{{{"epoch"},
                {"loss", 8},
                {"train acc", 9},
                {"test acc", 9},
                {"examples/s", 11},
                {"time left", 11}}};
};

void check_finite(const EpochProgress& progress) {
  if (std::isfinite(progress.loss)) return;
  throw std::runtime_error("training diverged: the loss is " + shortest(progress.loss) +
                           " in epoch " + std::to_string(progress.epoch + 1) +
                           "; a smaller --lr may help");
}

}  // namespace

void run_train(const TrainArguments& arguments) {
  JsonFile file(arguments.json_path);
  const TrainerConfig config = make_config(arguments);
  const NamedData named = load_data(arguments, config.network.widths.back());
  Trainer trainer(config, named.data.train);
  print(environment_line(arguments.threads) + describe(named, config, trainer));

  Json json{{"environment", environment_json(arguments.threads)},
            {"config", config_json(named, config, trainer, arguments)},
            {"epochs", Json::array()}};
  const Clock::time_point start = Clock::now();
  Report report(config.epochs);
  print(report.header());
  for (std::size_t epoch = 0; epoch < config.epochs; ++epoch) {
    const EpochProgress progress =
        trainer.run_epoch([&](const EpochProgress& now) { report.step(now); });
    check_finite(progress);
    const bool last = epoch + 1 == config.epochs;
    if (!last && (epoch + 1) % arguments.eval_every != 0) continue;
    const Evaluation train = trainer.evaluate(named.data.train);
    const Evaluation test = trainer.evaluate(named.data.test);
    report.epoch(progress, train, test);
    json["epochs"].push_back(epoch_json(progress, train, test));
  }
  json["train_accuracy"] = json["epochs"].back()["train_accuracy"];
  json["test_accuracy"] = json["epochs"].back()["test_accuracy"];
  json["seconds"] = seconds_since(start);
  print("\ntrain accuracy " + percent(json["train_accuracy"].get<double>()) + ", test accuracy " +
        percent(json["test_accuracy"].get<double>()) + " after " +
        duration(json["seconds"].get<double>()) + "\n");
  file.commit(json);
}

}  // namespace simdrop::cli
