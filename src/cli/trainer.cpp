#include "cli/trainer.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <stdexcept>
#include <utility>

#include "cli/divergence.h"
#include "cli/terminal.h"
#include "mlp/config_fields.h"

namespace simdrop::cli {
namespace {

// So many examples are evaluated before a run is saved, where weights are read once for all.
constexpr std::size_t kTriedRows = 32;

Checkpoint new_run(const MlpConfig& network, const OptimizerConfig& optimizer) {
  Mlp mlp(network);
  const auto sizes = mlp.parameter_sizes();
  return {std::move(mlp), Optimizer(optimizer, sizes), {}};
}

// One-hot rows, or the label itself where there is a single output.
void encode_labels(std::span<const std::uint8_t> labels, std::size_t outputs,
                   std::vector<float>& values) {
  values.assign(labels.size() * outputs, 0.0F);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (outputs == 1) {
      values[i] = labels[i];
    } else {
      values[i * outputs + labels[i]] = 1.0F;
    }
  }
}

Targets make_targets(Loss loss, std::span<const std::uint8_t> labels, std::size_t outputs,
                     std::vector<float>& values) {
  if (loss == Loss::softmax_ce) return labels;
  encode_labels(labels, outputs, values);
  return ConstMatrix(values.data(), labels.size(), outputs);
}

// Nothing if an output is not finite.
std::optional<std::size_t> predicted_class(std::span<const float> outputs) {
  std::size_t largest = 0;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (!std::isfinite(outputs[i])) return {};
    if (outputs[i] > outputs[largest]) largest = i;
  }
  return outputs.size() > 1 ? largest : std::size_t{outputs.front() > 0.5F};
}

}  // namespace

void check_network_fits(const MlpConfig& network, const io::Dataset& data) {
  const auto fail = [](const std::string& what) { throw std::invalid_argument(what); };
  if (network.widths.size() < 2) fail("--layers: at least an input and an output width are needed");
  if (network.widths.front() != data.features) {
    fail("--layers: the first width is " + std::to_string(network.widths.front()) +
         ", but the data has " + std::to_string(data.features) + " features");
  }
  const std::size_t outputs = network.widths.back();
  const bool single = outputs == 1 && data.classes == 2 && network.loss != Loss::softmax_ce;
  if (outputs != data.classes && !single) {
    fail("--layers: the last width is " + std::to_string(outputs) + ", but the data has " +
         std::to_string(data.classes) + " classes, which " + detail::name_of(network.loss) +
         " learns with as many outputs" +
         (data.classes == 2 ? " (a single one needs sigmoid_bce or identity_mse)" : ""));
  }
}

std::size_t count_correct(ConstMatrix predictions, std::span<const std::uint8_t> labels) {
  std::size_t correct = 0;
  for (std::size_t r = 0; r < predictions.rows; ++r) {
    const std::span<const float> outputs(predictions.row(r), predictions.cols);
    correct += predicted_class(outputs) == labels[r] ? 1 : 0;
  }
  return correct;
}

std::size_t steps_per_epoch(const TrainerConfig& config, std::size_t examples) {
  const std::size_t batch = config.network.max_batch;
  return examples / batch + (examples % batch == 0 ? 0 : 1);
}

Trainer::Trainer(const TrainerConfig& config, const io::Dataset& train)
    : Trainer(config, train, new_run(config.network, config.optimizer)) {}

Trainer::Trainer(const TrainerConfig& config, const io::Dataset& train, Checkpoint run)
    : config_(config),
      train_(train),
      network_(std::move(run.mlp)),
      optimizer_(std::move(*run.optimizer)),
      steps_per_epoch_(cli::steps_per_epoch(config, train.rows())),
      epochs_done_(static_cast<std::size_t>(optimizer_.step_count()) / steps_per_epoch_),
      batch_x_(config.network.max_batch * train.features),
      batch_labels_(config.network.max_batch) {
  check_network_fits(config.network, train);
}

void Trainer::fail(const char* preposition, const std::string& what) const {
  const std::uint64_t steps = optimizer_.step_count();
  const std::uint64_t epoch = steps == 0 ? 1 : (steps - 1) / steps_per_epoch_ + 1;
  throw Divergence("training diverged " + std::string(preposition) + " epoch " +
                   std::to_string(epoch) + ", step " + grouped(steps) + ": " + what);
}

void Trainer::check_parameters() {
  if (finite_after_ == optimizer_.step_count()) return;
  const std::string found = find_not_finite(network_, optimizer_);
  if (!found.empty()) fail("by", found);
  finite_after_ = optimizer_.step_count();
}

void Trainer::save(const std::string& path, const Metadata& metadata, bool sync) {
  const std::size_t rows = std::min(kTriedRows, train_.rows());
  evaluate(ConstMatrix(train_.x.data(), rows, train_.features),
           std::span(train_.labels).first(rows));
  save_checkpoint(path, network_, {.optimizer = &optimizer_, .metadata = metadata, .sync = sync});
}

double Trainer::learning_rate() const {
  if (config_.schedule == Schedule::constant) return config_.optimizer.learning_rate;
  const auto total = static_cast<double>(config_.epochs) * static_cast<double>(steps_per_epoch_);
  const auto done = static_cast<double>(optimizer_.step_count());
  return config_.optimizer.learning_rate * std::max(0.0, 1.0 - done / total);
}

double Trainer::train_batch(const std::vector<std::size_t>& order, std::size_t begin,
                            std::size_t end) {
  const std::size_t rows = end - begin;
  const std::size_t features = train_.features;
  for (std::size_t r = 0; r < rows; ++r) {
    const float* source = train_.inputs().row(order[begin + r]);
    std::copy_n(source, features, batch_x_.data() + r * features);
    batch_labels_[r] = train_.labels[order[begin + r]];
  }
  const std::span<const std::uint8_t> labels(batch_labels_.data(), rows);
  const Targets targets =
      make_targets(config_.network.loss, labels, config_.network.widths.back(), batch_values_);
  optimizer_.set_learning_rate(learning_rate());
  return network_.train_step(ConstMatrix(batch_x_.data(), rows, features), targets, optimizer_);
}

EpochProgress Trainer::run_epoch(const std::function<void(const EpochProgress&)>& on_step) {
  const auto order = io::epoch_order(train_.rows(), config_.network.seed, epochs_done_);
  const std::size_t batch = config_.network.max_batch;
  EpochProgress progress;
  progress.epoch = epochs_done_;
  progress.steps = steps_per_epoch_;
  double loss_sum = 0.0;
  std::size_t correct = 0;
  for (std::size_t begin = 0; begin < train_.rows(); begin += batch) {
    const auto start = std::chrono::steady_clock::now();
    const std::size_t end = std::min(begin + batch, train_.rows());
    const double loss = train_batch(order, begin, end);
    const std::chrono::duration<double> step_time = std::chrono::steady_clock::now() - start;
    if (!std::isfinite(loss)) fail("in", "the loss is " + not_finite_text(loss));
    progress.seconds += step_time.count();
    progress.train_seconds = train_seconds_ + progress.seconds;
    loss_sum += loss * static_cast<double>(end - begin);
    correct += count_correct(network_.a(network_.num_layers()),
                             std::span(batch_labels_).first(end - begin));
    const auto examples = static_cast<double>(end);
    ++progress.step;
    progress.loss = loss_sum / examples;
    progress.accuracy = static_cast<double>(correct) / examples;
    // A clock may be too coarse for a step.
    progress.examples_per_second = examples / std::max(progress.seconds, 1e-9);
    if (on_step) on_step(progress);
  }
  ++epochs_done_;
  train_seconds_ = progress.train_seconds;
  return progress;
}

Evaluation Trainer::evaluate(const io::Dataset& data) {
  return evaluate(data.inputs(), data.labels);
}

Evaluation Trainer::evaluate(ConstMatrix x, std::span<const std::uint8_t> labels) {
  check_parameters();
  const std::size_t outputs = config_.network.widths.back();
  std::vector<float> predictions(x.rows * outputs);
  const Matrix out(predictions.data(), x.rows, outputs);
  network_.predict(x, out);
  std::vector<float> values;
  const Targets targets = make_targets(config_.network.loss, labels, outputs, values);
  // It is finite if all outputs are, and only then.
  const double loss = network_.loss_of(out, targets);
  if (!std::isfinite(loss)) fail("by", "the loss of an evaluation is " + not_finite_text(loss));
  return {loss, static_cast<double>(count_correct(out, labels)) / static_cast<double>(x.rows)};
}

}  // namespace simdrop::cli
