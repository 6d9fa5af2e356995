// What simdrop train was asked for, and each of its options in one place.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "cli/data/dataset.h"
#include "cli/option_values.h"
#include "cli/trainer.h"
#include "mlp/config_fields.h"
#include "simdrop/mlp.hpp"
#include "simdrop/optimizer.hpp"

namespace simdrop::cli {

enum class EvalTrain { every, last };  // when the training examples are evaluated

constexpr auto names_of(EvalTrain) {
  return std::array{"every", "last"};
}

// The command line as given; what is not given depends on the rest.
struct TrainArguments {
  std::optional<std::string> data;          // a directory, fashion-mnist or moons
  io::IdxPaths files;                       // instead of data: all four or none
  MlpConfig network{.init = Init::xavier};  // but for what stands below
  OptimizerConfig optimizer;                // likewise
  std::vector<std::size_t> layers;
  std::vector<double> keep_prob{1.0};
  std::optional<Loss> loss;
  std::optional<double> learning_rate;
  std::optional<double> momentum;
  Schedule schedule = Schedule::linear;
  std::optional<std::size_t> epochs;
  std::optional<std::size_t> batch;
  std::size_t eval_every = 1;  // epochs; the last one is always evaluated
  EvalTrain eval_train = EvalTrain::every;
  std::size_t train_limit = 0;  // 0 = all
  int threads = 0;
  std::string json_path;
  bool no_sync = false;        // of the files that are written
  std::string save;            // a file for the run so far, after each epoch
  std::string resume;          // such a file
  std::size_t stop_after = 0;  // epochs, as if interrupted; 0 = all
};

// Each list calls visit(name, the member that the option sets, and for the help: text, range, what
// stands for the value, what stands for a default that depends on the rest).

// What a run is a function of. A run's file has these options, and the next list's, in this order.
template <class Arguments, class Visit>
void visit_run_options(Arguments& a, Visit&& visit) {
  using enum Range;
  visit("layers", a.layers, "widths from input to output", at_least_one, "N,N,...",
        "784,1024,1024,10 (moons: 2,64,64,1)");
  visit("keep-prob", a.keep_prob,
        "probability that a hidden unit is kept: one value, or one per hidden layer", probability);
  visit("input-keep-prob", a.network.input_keep_prob, "probability that an input feature is kept",
        probability);
  visit("dropout-unit", a.network.dropout_unit,
        "what dropout drops: units of each example by itself, or neurons for a whole batch, "
        "whose step is that of the smaller network left");
  visit("dropout-group", a.network.dropout_group,
        "with --dropout-unit neuron: so many examples share a mask; 0 = the batch");
  visit("lazy-updates", a.network.lazy_updates,
        "with --dropout-unit neuron: leave the weights of dropped neurons and their momentum as "
        "they are");
  visit("loss", a.loss, "of the last layer", any, nullptr, "softmax_ce (moons: sigmoid_bce)");
  visit("init", a.network.init, "initial weights");
  visit("optimizer", a.optimizer.kind, "update rule");
  visit("momentum", a.momentum, "of sgd", momentum, nullptr, "0.9");
  visit("nesterov", a.optimizer.nesterov, "with momentum above 0: Nesterov's");
  visit("weight-decay", a.optimizer.weight_decay, "L2 penalty; decoupled with adamw",
        not_negative_float);
  visit("max-norm", a.optimizer.max_norm,
        "most that the norm of the weights into a unit may be (Srivastava et al.: 2 to 4); 0 = no "
        "constraint",
        not_negative_float);
  visit("lr", a.learning_rate, "learning rate", not_negative_float, nullptr,
        "0.05 (adam, adamw: 0.001)");
  visit("lr-schedule", a.schedule, "linear: falls to 0 over all steps");
  visit("batch", a.batch, "examples of a step", at_least_one, nullptr, "128 (moons: 32)");
  visit("train-limit", a.train_limit,
        "train on N examples drawn at random by the seed, or all if there are no more; 0 = all");
  visit("seed", a.network.seed, "of weights, masks, order and subset");
}

// What a resumed run may be given anew.
template <class Arguments, class Visit>
void visit_data_options(Arguments& a, Visit&& visit) {
  using enum Range;
  visit("epochs", a.epochs, "passes over the training examples", at_least_one, nullptr,
        "5 (moons: 100)");
  visit("data", a.data,
        "fashion-mnist (Debian's package dataset-fashion-mnist), moons (made on the fly), or a "
        "directory of IDX files under MNIST's names, .gz or not",
        any, "NAME|DIR", "fashion-mnist");
  visit("train-images", a.files.train_images, "IDX files instead of --data: all four", any, "FILE");
  visit("train-labels", a.files.train_labels, "", any, "FILE");
  visit("test-images", a.files.test_images, "", any, "FILE");
  visit("test-labels", a.files.test_labels, "", any, "FILE");
}

// What changes no result.
template <class Arguments, class Visit>
void visit_report_options(Arguments& a, Visit&& visit) {
  using enum Range;
  visit("eval-every", a.eval_every, "evaluate and report every N epochs, and after the last",
        at_least_one);
  visit("eval-train", a.eval_train,
        "evaluate the training examples every time that the test examples are, or last");
  visit("save", a.save,
        "write network, optimiser and position to FILE (safetensors) after each epoch", any,
        "FILE");
  visit("resume", a.resume,
        "go on with the run in FILE of --save, with the arguments that it began with", any, "FILE");
  visit("stop-after", a.stop_after, "stop after N epochs, for --resume to go on; 0 = all");
}

}  // namespace simdrop::cli
