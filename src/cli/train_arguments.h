// What simdrop train was asked for, and each of its options in one place.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "cli/data/dataset.h"
#include "cli/trainer.h"
#include "mlp/config_fields.h"
#include "simdrop/mlp.hpp"
#include "simdrop/optimizer.hpp"

namespace simdrop::cli {

enum class EvalTrain {
  every,
  last
};  // evaluate the training examples: with the test's, in the end

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
  std::string save;            // a file for the run so far, after each epoch
  std::string resume;          // such a file
  std::size_t stop_after = 0;  // epochs, as if interrupted; 0 = all
};

enum class Range { any, probability, not_negative, at_least_one };

// An option of the command line.
struct Option {
  const char* name;  // without the dashes
  const char* help;
  Range range = Range::any;
  const char* value = nullptr;         // what stands for the value in the help; null: its type
  const char* default_text = nullptr;  // null: the value that is there before
};

// Each list calls visit(option, the member that it sets).

template <class Arguments, class Visit>
void visit_network_options(Arguments& a, Visit&& visit) {
  visit(Option{"layers", "widths from input to output", Range::at_least_one, "N,N,...",
               "784,1024,1024,10 (moons: 2,64,64,1)"},
        a.layers);
  visit(Option{"keep-prob",
               "probability that a hidden unit is kept: one value, or one per hidden layer",
               Range::probability},
        a.keep_prob);
  visit(Option{"input-keep-prob", "probability that an input feature is kept", Range::probability},
        a.network.input_keep_prob);
  visit(Option{"dropout-unit",
               "what dropout drops: units of each example by itself, or neurons for a whole batch, "
               "whose step is that of the smaller network left"},
        a.network.dropout_unit);
  visit(Option{"dropout-group",
               "with --dropout-unit neuron: so many examples share a mask; 0 = the batch",
               Range::not_negative, "N"},
        a.network.dropout_group);
  visit(Option{"lazy-updates",
               "with --dropout-unit neuron: leave the weights of dropped neurons and their "
               "momentum as they are"},
        a.network.lazy_updates);
  visit(Option{"loss", "of the last layer", Range::any, nullptr, "softmax_ce (moons: sigmoid_bce)"},
        a.loss);
  visit(Option{"init", "initial weights"}, a.network.init);
}

template <class Arguments, class Visit>
void visit_optimizer_options(Arguments& a, Visit&& visit) {
  visit(Option{"optimizer", "update rule"}, a.optimizer.kind);
  visit(Option{"momentum", "of sgd, in [0, 1)", Range::not_negative, nullptr, "0.9"}, a.momentum);
  visit(Option{"nesterov", "Nesterov's momentum"}, a.optimizer.nesterov);
  visit(Option{"weight-decay", "L2 penalty; decoupled with adamw", Range::not_negative},
        a.optimizer.weight_decay);
  visit(Option{"max-norm",
               "most that the norm of the weights into a unit may be (Srivastava et al.: 2 to 4); "
               "0 = no constraint",
               Range::not_negative},
        a.optimizer.max_norm);
}

template <class Arguments, class Visit>
void visit_step_options(Arguments& a, Visit&& visit) {
  visit(Option{"lr", "learning rate", Range::not_negative, nullptr, "0.05 (adam, adamw: 0.001)"},
        a.learning_rate);
  visit(Option{"lr-schedule", "linear: falls to 0 over all steps"}, a.schedule);
  visit(Option{"batch", "examples of a step", Range::at_least_one, nullptr, "128 (moons: 32)"},
        a.batch);
  visit(Option{"train-limit", "train on N examples drawn at random by the seed; 0 = all",
               Range::not_negative, "N"},
        a.train_limit);
  visit(Option{"seed", "of weights, masks, order and subset", Range::not_negative}, a.network.seed);
}

// What a run is a function of. These, and those behind, are in a run's file, in this order.
template <class Arguments, class Visit>
void visit_run_options(Arguments& a, Visit&& visit) {
  visit_network_options(a, visit);
  visit_optimizer_options(a, visit);
  visit_step_options(a, visit);
}

// What a resumed run may be given anew.
template <class Arguments, class Visit>
void visit_data_options(Arguments& a, Visit&& visit) {
  visit(Option{"epochs", "passes over the training examples", Range::at_least_one, nullptr,
               "5 (moons: 100)"},
        a.epochs);
  visit(Option{"data",
               "fashion-mnist (Debian's package dataset-fashion-mnist), moons (made on the fly), "
               "or a directory of IDX files under MNIST's names, .gz or not",
               Range::any, "NAME|DIR", "fashion-mnist"},
        a.data);
  visit(Option{"train-images", "IDX files instead of --data: all four", Range::any, "FILE"},
        a.files.train_images);
  visit(Option{"train-labels", "", Range::any, "FILE"}, a.files.train_labels);
  visit(Option{"test-images", "", Range::any, "FILE"}, a.files.test_images);
  visit(Option{"test-labels", "", Range::any, "FILE"}, a.files.test_labels);
}

// What changes no result.
template <class Arguments, class Visit>
void visit_report_options(Arguments& a, Visit&& visit) {
  visit(Option{"eval-every", "evaluate and report every N epochs, and after the last",
               Range::at_least_one, "N"},
        a.eval_every);
  visit(Option{"eval-train",
               "evaluate the training examples every time that the test examples are, or last"},
        a.eval_train);
  visit(
      Option{"save", "write network, optimiser and position to FILE (safetensors) after each epoch",
             Range::any, "FILE"},
      a.save);
  visit(Option{"resume",
               "go on with the run in FILE of --save, with the arguments that it began with",
               Range::any, "FILE"},
        a.resume);
  visit(Option{"stop-after", "stop after N epochs, for --resume to go on; 0 = all",
               Range::not_negative, "N"},
        a.stop_after);
}

}  // namespace simdrop::cli

template <>
struct simdrop::detail::EnumNames<simdrop::cli::Schedule> {
  static constexpr std::array values{"constant", "linear"};
};
template <>
struct simdrop::detail::EnumNames<simdrop::cli::EvalTrain> {
  static constexpr std::array values{"every", "last"};
};
