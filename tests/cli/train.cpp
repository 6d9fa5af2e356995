// simdrop train with training that diverges: an error, and nothing that was good is replaced.
#include "cli/train.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <iostream>
#include <regex>
#include <sstream>
#include <stdexcept>
#include <string>

#include "cli/divergence.h"
#include "cli/overhead.h"
#include "helpers/temporary_directory.h"
#include "mlp/config_fields.h"
#include "simdrop/rng.hpp"

namespace {

using namespace simdrop;
using namespace simdrop::cli;

struct Outcome {
  std::string error = "none";
  std::string printed;
};

// What stdout gets meanwhile is kept.
template <class Fn>
Outcome run(Fn fn) {
  Outcome outcome;
  const std::ostringstream text;
  std::streambuf* const terminal = std::cout.rdbuf(text.rdbuf());
  try {
    fn();
  } catch (const std::exception& error) {
    outcome.error = error.what();
  }
  std::cout.rdbuf(terminal);
  outcome.printed = text.str();
  return outcome;
}

Outcome train(const TrainArguments& arguments) {
  return run([&] { run_train(arguments); });
}

void check_match(const std::string& text, const std::string& pattern) {
  CAPTURE(text);
  CAPTURE(pattern);
  CHECK(std::regex_search(text, std::regex(pattern)));
}

void check_no_match(const std::string& text, const std::string& pattern) {
  CAPTURE(text);
  CAPTURE(pattern);
  CHECK_FALSE(std::regex_search(text, std::regex(pattern)));
}

// 32 steps an epoch.
TrainArguments moons(Loss loss, OptimizerKind kind, double rate) {
  TrainArguments arguments;
  arguments.data = "moons";
  arguments.loss = loss;
  arguments.layers = {2, 8, 8, 2};
  arguments.optimizer.kind = kind;
  arguments.learning_rate = rate;
  arguments.schedule = Schedule::constant;
  arguments.epochs = 5;
  arguments.threads = 1;
  return arguments;
}

// One layer, whose weights grow until they overflow in step 39.
TrainArguments diverges_in_the_second_epoch() {
  TrainArguments arguments = moons(Loss::identity_mse, OptimizerKind::sgd, 10.0);
  arguments.layers = {2, 2};
  return arguments;
}

// The only step of the first epoch leaves weights that are finite, but too large for any example.
TrainArguments diverges_by_the_first_step() {
  TrainArguments arguments = moons(Loss::identity_mse, OptimizerKind::sgd, 1e30);
  arguments.train_limit = 32;
  return arguments;
}

std::string big_endian(std::uint32_t value) {
  std::string bytes;
  for (const unsigned shift : {24U, 16U, 8U, 0U}) {
    bytes += static_cast<char>(value >> shift & 0xFFU);
  }
  return bytes;
}

// Images of random pixels under the names of MNIST's files.
void write_images(const test::TemporaryDirectory& dir, const std::string& name,
                  std::uint32_t count) {
  std::vector<std::uint32_t> words((count * 784 + count) / 4);
  philox_fill({1, 2}, 0, words);
  std::string bytes;
  for (const std::uint32_t word : words) bytes += big_endian(word);
  std::string labels = bytes.substr(std::size_t{count} * 784);
  for (char& label : labels) label = static_cast<char>(static_cast<unsigned char>(label) % 10);
  bytes.resize(std::size_t{count} * 784);
  dir.write(name + "-images-idx3-ubyte",
            big_endian(0x803) + big_endian(count) + big_endian(28) + big_endian(28) + bytes);
  dir.write(name + "-labels-idx1-ubyte", big_endian(0x801) + big_endian(count) + labels);
}

}  // namespace

TEST_CASE("train: every loss, optimiser and unit of dropout; nothing is replaced or left behind") {
  const test::TemporaryDirectory dir;
  const std::string json = dir.write("json", "results of before");
  const std::string save = dir.write("save", "a run of before");
  for (const Loss loss : {Loss::softmax_ce, Loss::sigmoid_bce, Loss::identity_mse}) {
    for (const OptimizerKind kind :
         {OptimizerKind::sgd, OptimizerKind::adam, OptimizerKind::adamw}) {
      for (const std::string dropped : {"nothing", "element", "neuron", "lazy"}) {
        for (const std::size_t variant : {0U, 1U, 2U, 3U}) {
          TrainArguments arguments = moons(loss, kind, 1e30);
          const bool neurons = dropped == "neuron" || dropped == "lazy";
          if (dropped != "nothing") arguments.keep_prob = {0.5};
          if (neurons) arguments.network.dropout_unit = DropoutUnit::neuron;
          arguments.network.lazy_updates = dropped == "lazy";
          arguments.json_path = json;
          if (variant != 0) arguments.save = save;
          if (variant == 1) arguments.eval_every = 100;
          if (variant == 2) arguments.eval_train = EvalTrain::last;
          if (variant == 3) arguments.stop_after = 1;
          CAPTURE(std::string(detail::name_of(loss)));
          CAPTURE(std::string(detail::name_of(kind)));
          CAPTURE(dropped);
          CAPTURE(variant);
          const Outcome outcome = train(arguments);
          check_match(outcome.error,
                      "^training diverged in epoch 1, step [1-9][0-9]?: the loss is (nan|inf); a "
                      "smaller --lr may help$");
          check_no_match(outcome.printed, "nan|inf");
        }
      }
    }
  }
  CHECK(test::read_file(json) == "results of before");
  CHECK(test::read_file(save) == "a run of before");
  CHECK(dir.entries() == 2);
}

TEST_CASE("train: the last step of the last epoch") {
  const test::TemporaryDirectory dir;
  const std::string json = dir.write("json", "results of before");
  const std::string save = dir.write("save", "a run of before");
  for (const bool stops : {true, false}) {
    for (const bool saves : {true, false}) {
      for (const EvalTrain eval_train : {EvalTrain::every, EvalTrain::last}) {
        TrainArguments arguments = diverges_by_the_first_step();
        (stops ? arguments.stop_after : arguments.epochs.emplace()) = 1;
        arguments.eval_every = 7;
        arguments.eval_train = eval_train;
        arguments.json_path = json;
        if (saves) arguments.save = save;
        check_match(train(arguments).error,
                    "^training diverged by epoch 1, step 1: the loss of an evaluation is "
                    "(nan|inf); a smaller --lr may help$");
      }
    }
  }
  CHECK(test::read_file(json) == "results of before");
  CHECK(test::read_file(save) == "a run of before");
  CHECK(dir.entries() == 2);
}

TEST_CASE("train: what no evaluation saw is not saved either") {
  const test::TemporaryDirectory dir;
  TrainArguments arguments = diverges_by_the_first_step();
  arguments.eval_every = 2;
  check_match(train(arguments).error, "in epoch 2, step 2: the loss is");
  arguments.save = dir.name("save");
  check_match(train(arguments).error, "by epoch 1, step 1: the loss of an evaluation is");
  CHECK(dir.entries() == 0);
}

TEST_CASE("train: the file keeps the last good epoch, and the run goes on from there") {
  const test::TemporaryDirectory dir;
  TrainArguments arguments = diverges_in_the_second_epoch();
  arguments.stop_after = 1;
  arguments.save = dir.name("stopped");
  REQUIRE(train(arguments).error == "none");
  const std::string good = test::read_file(arguments.save);

  arguments.stop_after = 0;
  arguments.save = dir.name("diverged");
  arguments.json_path = dir.name("json");
  const std::string error = train(arguments).error;
  check_match(error, "^training diverged in epoch 2, step [3-6][0-9]: the loss is nan;");
  CHECK(test::read_file(arguments.save) == good);

  arguments.resume = dir.name("diverged");
  CHECK(train(arguments).error == error);
  CHECK(test::read_file(arguments.save) == good);
  CHECK(dir.entries() == 2);
}

TEST_CASE("train: images, three steps, the last of which overflows") {
  const test::TemporaryDirectory dir;
  write_images(dir, "train", 768);
  write_images(dir, "t10k", 256);
  TrainArguments arguments;
  arguments.data = dir.path().string();
  arguments.layers = {784, 256, 256, 10};
  arguments.batch = 256;
  arguments.epochs = 1;
  arguments.loss = Loss::identity_mse;
  arguments.learning_rate = 30.0;
  arguments.schedule = Schedule::constant;
  arguments.threads = 1;
  arguments.json_path = dir.name("json");
  arguments.save = dir.write("save", "a run of before");
  check_match(train(arguments).error, "^training diverged by epoch 1, step 3: ");
  CHECK(test::read_file(arguments.save) == "a run of before");
  CHECK(dir.entries() == 5);
}

TEST_CASE("train: no result is null") {
  const test::TemporaryDirectory dir;
  TrainArguments arguments = moons(Loss::softmax_ce, OptimizerKind::sgd, 0.05);
  arguments.eval_every = 2;
  arguments.json_path = dir.name("json");
  arguments.save = dir.name("save");
  CHECK(train(arguments).error == "none");
  check_no_match(test::read_file(arguments.json_path), "null");
  OverheadConfig overhead;
  overhead.widths = {16};
  overhead.batches = {1};
  overhead.keep_probs = {1e-3, 0.0, 1.0};
  overhead.seconds = 0.0;
  overhead.threads = 1;
  overhead.json_path = dir.name("overhead");
  CHECK(run([&] { run_overhead(overhead); }).error == "none");
  check_no_match(test::read_file(overhead.json_path), "null");
}
