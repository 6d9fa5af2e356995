#include "cli/train_config.h"

#include <stdexcept>

namespace simdrop::cli {
namespace {

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

DropoutUnit parse_dropout_unit(const TrainArguments& arguments) {
  const bool neuron = arguments.dropout_unit == "neuron";
  if (arguments.lazy_updates && !neuron) {
    throw std::invalid_argument("--lazy-updates: only for --dropout-unit neuron");
  }
  if (arguments.dropout_group != 0 && (!neuron || arguments.lazy_updates)) {
    throw std::invalid_argument(
        "--dropout-group: only for --dropout-unit neuron without --lazy-updates");
  }
  return neuron ? DropoutUnit::neuron : DropoutUnit::element;
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

}  // namespace

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
  config.network.dropout_unit = parse_dropout_unit(arguments);
  config.network.dropout_group = arguments.dropout_group;
  config.network.lazy_updates = arguments.lazy_updates;
  config.network.init = arguments.init == "he" ? Init::he : Init::xavier;
  config.network.seed = arguments.seed;
  config.network.max_batch = arguments.batch.value_or(moons ? 32 : 128);
  config.network.num_threads = arguments.threads;
  config.optimizer = make_optimizer(arguments);
  config.schedule = arguments.schedule == "linear" ? Schedule::linear : Schedule::constant;
  config.epochs = arguments.epochs.value_or(moons ? 100 : 5);
  return config;
}

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

}  // namespace simdrop::cli
