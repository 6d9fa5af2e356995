// The training loop: epochs of shuffled mini-batches, a learning rate that may fall to 0.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cli/data/dataset.h"
#include "simdrop/checkpoint.hpp"
#include "simdrop/mlp.hpp"

namespace simdrop::cli {

enum class Schedule { constant, linear };  // linear: from the learning rate to 0 over all steps

constexpr auto names_of(Schedule) {
  return std::array{"constant", "linear"};
}

struct TrainerConfig {
  MlpConfig network;  // max_batch is the size of a mini-batch; seed also orders the examples
  OptimizerConfig optimizer;
  Schedule schedule = Schedule::linear;
  std::size_t epochs = 1;
};

// The running figures of an epoch; in training mode, so with dropout and before each update.
struct EpochProgress {
  std::size_t epoch = 0;  // counted from 0
  std::size_t step = 0;   // steps done in this epoch
  std::size_t steps = 0;  // steps of an epoch
  double loss = 0.0;      // mean over the examples so far
  double accuracy = 0.0;
  double seconds = 0.0;        // spent in steps
  double train_seconds = 0.0;  // the same in all epochs so far
  double examples_per_second = 0.0;
};

struct Evaluation {
  double loss = 0.0;
  double accuracy = 0.0;
};

class Trainer {
 public:
  // `train` must outlive the trainer. Throws std::invalid_argument naming what does not fit.
  Trainer(const TrainerConfig& config, const io::Dataset& train);
  // Goes on after the epochs that `run`, which has an optimizer, has done.
  Trainer(const TrainerConfig& config, const io::Dataset& train, Checkpoint run);

  // All that follows throws Divergence, which says in which step or by which one, when something
  // is not finite: the loss of a step, or what the last step left. There is no going on then.

  // Runs the next epoch; the last batch of an epoch holds what remains. on_step is called after
  // each step.
  EpochProgress run_epoch(const std::function<void(const EpochProgress&)>& on_step = {});

  // Inference mode. Weights and the optimizer's state are looked at too.
  [[nodiscard]] Evaluation evaluate(const io::Dataset& data);

  // Evaluates a few examples first: what diverged is not written.
  void save(const std::string& path, const Metadata& metadata, bool sync = true);

  [[nodiscard]] std::size_t epochs_done() const { return epochs_done_; }
  [[nodiscard]] std::size_t steps_per_epoch() const { return steps_per_epoch_; }
  [[nodiscard]] double learning_rate() const;  // of the next step
  [[nodiscard]] const Mlp& network() const { return network_; }

 private:
  double train_batch(const std::vector<std::size_t>& order, std::size_t begin, std::size_t end);
  Evaluation evaluate(ConstMatrix x, std::span<const std::uint8_t> labels);
  void check_parameters();
  [[noreturn]] void fail(const char* preposition, const std::string& what) const;

  TrainerConfig config_;
  const io::Dataset& train_;
  Mlp network_;
  Optimizer optimizer_;
  std::size_t steps_per_epoch_;
  std::size_t epochs_done_ = 0;
  double train_seconds_ = 0.0;
  std::optional<std::uint64_t> finite_after_;  // so many steps check_parameters() found no fault
  std::vector<float> batch_x_;
  std::vector<std::uint8_t> batch_labels_;
  std::vector<float> batch_values_;
};

[[nodiscard]] std::size_t steps_per_epoch(const TrainerConfig& config, std::size_t examples);

// Throws std::invalid_argument unless a network of these widths and this loss can be trained on
// the data: widths.front() features; one output per class, or a single one for two classes.
void check_network_fits(const MlpConfig& network, const io::Dataset& data);

// Correct predictions: the largest output, or a single output against 1/2. A row with an output
// that is not finite predicts nothing.
[[nodiscard]] std::size_t count_correct(ConstMatrix predictions,
                                        std::span<const std::uint8_t> labels);

}  // namespace simdrop::cli
