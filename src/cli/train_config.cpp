#include "cli/train_config.h"

#include <algorithm>
#include <new>
#include <stdexcept>

namespace simdrop::cli {
namespace {

constexpr std::size_t kMostWidths = 65536;  // of a network of the library

bool is_moons(const TrainArguments& arguments) {
  return arguments.data == "moons";
}

std::string data_directory(const TrainArguments& arguments) {
  const std::string name = arguments.data.value_or("fashion-mnist");
  return name == "fashion-mnist" ? io::kFashionMnistDir : name;
}

std::vector<std::size_t> default_layers(bool moons, Loss loss) {
  if (!moons) return {784, 1024, 1024, 10};
  return {2, 64, 64, loss == Loss::softmax_ce ? std::size_t{2} : std::size_t{1}};
}

[[noreturn]] void fail(const std::string& what) {
  throw std::invalid_argument(what);
}

// One value serves every hidden layer.
std::vector<double> expand_keep_prob(const TrainArguments& arguments, std::size_t hidden) {
  const std::vector<double>& given = arguments.keep_prob;
  if (hidden == 0 && !std::ranges::all_of(given, [](double p) { return p == 1.0; })) {
    fail("--keep-prob: without a hidden layer it has no effect; allowed: 1, or more --layers");
  }
  if (given.size() == 1) return std::vector<double>(hidden, given.front());
  if (given.size() != hidden) {
    fail("--keep-prob: " + std::to_string(given.size()) +
         " values given; allowed: 1, or one for each of the " + std::to_string(hidden) +
         " hidden layers");
  }
  return given;
}

void check_layers(const std::vector<std::size_t>& widths) {
  if (widths.size() >= 2 && widths.size() <= kMostWidths) return;
  fail("--layers: " + std::to_string(widths.size()) + " widths given; allowed: 2 to " +
       std::to_string(kMostWidths) + ", from input to output");
}

void check_outputs(const MlpConfig& network) {
  const std::size_t outputs = network.widths.back();
  if (detail::suits_outputs(network.loss, outputs)) return;
  fail("--layers: " + std::to_string(outputs) +
       " outputs; allowed: 2 to 256 with --loss softmax_ce");
}

void check_dropout_unit(const MlpConfig& network) {
  const bool neuron = network.dropout_unit == DropoutUnit::neuron;
  if (network.lazy_updates && !neuron) fail("--lazy-updates: only for --dropout-unit neuron");
  if (network.dropout_group != 0 && (!neuron || network.lazy_updates)) {
    fail("--dropout-group: only for --dropout-unit neuron without --lazy-updates");
  }
}

bool drops_nothing(const MlpConfig& network) {
  return network.input_keep_prob == 1.0 &&
         std::ranges::all_of(network.keep_prob, [](double p) { return p == 1.0; });
}

void check_data(const TrainArguments& arguments) {
  const io::IdxPaths& files = arguments.files;
  const bool all = !files.train_images.empty() && !files.train_labels.empty() &&
                   !files.test_images.empty() && !files.test_labels.empty();
  if (any_file(files) && (!all || arguments.data)) {
    fail(
        "--train-images, --train-labels, --test-images, --test-labels: give all four, and no "
        "--data");
  }
}

OptimizerConfig make_optimizer(const TrainArguments& arguments) {
  OptimizerConfig config = arguments.optimizer;
  const bool sgd = config.kind == OptimizerKind::sgd;
  if (!sgd && (arguments.momentum || config.nesterov)) {
    fail("--momentum, --nesterov: only for --optimizer sgd");
  }
  config.learning_rate = arguments.learning_rate.value_or(sgd ? 0.05 : 0.001);
  config.momentum = sgd ? arguments.momentum.value_or(0.9) : 0.0;
  if (config.nesterov && config.momentum == 0.0) fail("--nesterov: only with --momentum above 0");
  return config;
}

}  // namespace

bool any_file(const io::IdxPaths& files) {
  return !(files.train_images + files.train_labels + files.test_images + files.test_labels).empty();
}

TrainerConfig make_config(const TrainArguments& arguments) {
  check_data(arguments);
  const bool moons = is_moons(arguments);
  TrainerConfig config;
  config.network = arguments.network;
  config.network.loss = arguments.loss.value_or(moons ? Loss::sigmoid_bce : Loss::softmax_ce);
  config.network.widths =
      arguments.layers.empty() ? default_layers(moons, config.network.loss) : arguments.layers;
  check_layers(config.network.widths);
  check_outputs(config.network);
  config.network.keep_prob = expand_keep_prob(arguments, config.network.widths.size() - 2);
  check_dropout_unit(config.network);
  // A run that was saved so may go on.
  if (config.network.dropout_unit == DropoutUnit::neuron && drops_nothing(config.network) &&
      arguments.resume.empty()) {
    fail(
        "--dropout-unit neuron: nothing is dropped; allowed: with --keep-prob or "
        "--input-keep-prob below 1");
  }
  config.network.max_batch = arguments.batch.value_or(moons ? 32 : 128);
  config.network.num_threads = arguments.threads;
  config.optimizer = make_optimizer(arguments);
  config.schedule = arguments.schedule;
  config.epochs = arguments.epochs.value_or(moons ? 100 : 5);
  return config;
}

io::IdxPaths data_files(const TrainArguments& arguments) {
  const io::IdxPaths& files = arguments.files;
  if (any_file(files)) return files;
  if (is_moons(arguments)) return {};
  return io::find_idx_files(data_directory(arguments));
}

NamedData load_data(const TrainArguments& arguments, std::size_t outputs) {
  const io::IdxPaths files = data_files(arguments);
  NamedData result;
  if (is_moons(arguments)) {
    result = {"moons", io::make_moons(arguments.network.seed)};
  } else {
    result.name = any_file(arguments.files) ? files.train_images : data_directory(arguments);
    try {
      result.data = io::load_idx(files, outputs == 1 ? 2 : outputs);
    } catch (const std::bad_alloc&) {
      throw std::runtime_error(result.name + ": out of memory: the data take more than there is");
    }
  }
  if (arguments.train_limit != 0) {
    result.data.train =
        io::random_subset(result.data.train, arguments.train_limit, arguments.network.seed);
  }
  return result;
}

}  // namespace simdrop::cli
