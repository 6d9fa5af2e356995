// simdrop's training steps for bench/peers/steps.py: reads commands from stdin, answers with a line
// each. The protocol is described there.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>

#include "simdrop/isa.hpp"
#include "simdrop/mlp.hpp"
#include "simdrop/optimizer.hpp"

namespace {

constexpr std::size_t pool_size = 8;
constexpr std::size_t max_classes = 10;

struct Problem {
  std::vector<std::size_t> widths{};
  std::size_t batch = 0;
  simdrop::Loss loss{};
  double momentum = 0.0, learning_rate = 0.0, keep_prob = 1.0;
  int check_passes = 0;
};

// Mixes a seed and an index to [-1, 1).
float noise(std::uint64_t seed, std::uint64_t index) {
  std::uint64_t z = seed * 0x9E3779B97F4A7C15U + index * 0xBF58476D1CE4E5B9U;
  z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
  z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
  return static_cast<float>((z ^ (z >> 31U)) >> 40U) * 0x1p-23F - 1.0F;
}

// A batch of examples that lie around their class's centre; targets in the form of the loss.
struct Batch {
  std::vector<float> x, values;
  std::vector<std::uint8_t> labels;

  Batch(const Problem& problem, std::size_t which) {
    const std::size_t in = problem.widths.front();
    const std::size_t out = problem.widths.back();
    const std::size_t classes =
        problem.loss == simdrop::Loss::sigmoid_bce ? 2 : std::min(out, max_classes);
    for (std::size_t r = 0; r < problem.batch; ++r) {
      const std::size_t label = r % classes;
      labels.push_back(static_cast<std::uint8_t>(label));
      for (std::size_t c = 0; c < in; ++c) {
        x.push_back(noise(label, c) + 0.5F * noise(100 + which, r * in + c));
      }
      if (problem.loss == simdrop::Loss::sigmoid_bce) values.push_back(static_cast<float>(label));
      if (problem.loss == simdrop::Loss::identity_mse) {
        for (std::size_t c = 0; c < out; ++c) values.push_back(noise(50 + label, c));
      }
    }
  }

  [[nodiscard]] simdrop::ConstMatrix inputs() const {
    return {x.data(), labels.size(), x.size() / labels.size()};
  }
  [[nodiscard]] simdrop::Targets targets() const {
    if (values.empty()) return std::span<const std::uint8_t>(labels);
    return simdrop::ConstMatrix(values.data(), labels.size(), values.size() / labels.size());
  }
};

simdrop::MlpConfig config(const Problem& problem, bool drops, int threads) {
  simdrop::MlpConfig config;
  config.widths = problem.widths;
  config.keep_prob.assign(problem.widths.size() - 2, drops ? problem.keep_prob : 1.0);
  config.loss = problem.loss;
  config.seed = 1;
  config.max_batch = problem.batch;
  config.num_threads = threads;
  return config;
}

class Network {
 public:
  Network(const Problem& problem, bool drops, int threads)
      : mlp_(config(problem, drops, threads)),
        optimizer_({.learning_rate = problem.learning_rate, .momentum = problem.momentum},
                   mlp_.parameter_sizes()) {
    for (std::size_t b = 0; b < pool_size; ++b) pool_.emplace_back(problem, b);
  }

  double step() { return step_on(pool_[turn_++ % pool_size]); }

  double mean_loss_of_pass() {
    double sum = 0.0;
    for (std::size_t b = 0; b < pool_size; ++b) sum += step();
    return sum / pool_size;
  }

  // Whether two steps that change nothing differ on one batch.
  bool redraws() {
    const double learning_rate = optimizer_.config().learning_rate;
    optimizer_.set_learning_rate(0.0);
    const double first = step_on(pool_[0]);
    const bool differ = step_on(pool_[0]) != first;
    optimizer_.set_learning_rate(learning_rate);
    return differ;
  }

 private:
  double step_on(const Batch& batch) {
    return mlp_.train_step(batch.inputs(), batch.targets(), optimizer_);
  }

  simdrop::Mlp mlp_;
  simdrop::Optimizer optimizer_;
  std::vector<Batch> pool_;
  std::size_t turn_ = 0;
};

simdrop::Loss parse_loss(const std::string& name) {
  if (name == "softmax") return simdrop::Loss::softmax_ce;
  if (name == "sigmoid") return simdrop::Loss::sigmoid_bce;
  if (name == "mse") return simdrop::Loss::identity_mse;
  throw std::invalid_argument("loss: " + name);
}

Problem parse_problem(std::istream& in) {
  Problem problem;
  std::string widths;
  std::string loss;
  in >> widths >> problem.batch >> loss >> problem.momentum >> problem.learning_rate >>
      problem.keep_prob >> problem.check_passes;
  if (!in) throw std::invalid_argument("build: too few values");
  problem.loss = parse_loss(loss);
  std::istringstream list(widths);
  for (std::string width; std::getline(list, width, ',');) {
    problem.widths.push_back(std::stoul(width));
  }
  return problem;
}

// Trains; answers with the first and the last loss, and whether masks are drawn anew.
std::string check(Network& network, int passes) {
  const double first = network.mean_loss_of_pass();
  double last = first;
  for (int pass = 1; pass < passes; ++pass) last = network.mean_loss_of_pass();
  std::ostringstream text;
  text << "{\"first\": " << first << ", \"last\": " << last
       << ", \"redraws\": " << (network.redraws() ? "true" : "false") << "}";
  return text.str();
}

long long nanoseconds_of(Network& network, long steps) {
  for (long s = 0; s < steps / 8 + 1; ++s) network.step();
  const auto start = std::chrono::steady_clock::now();
  for (long s = 0; s < steps; ++s) network.step();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now() -
                                                              start)
      .count();
}

class Worker {
 public:
  explicit Worker(int threads) : threads_(threads) {}

  std::string answer(const std::string& line) {
    std::istringstream in(line);
    std::string command;
    in >> command;
    if (command == "build") {
      const Problem problem = parse_problem(in);
      plain_.emplace(problem, false, threads_);
      dropout_.emplace(problem, true, threads_);
      return "{\"none\": " + check(*plain_, problem.check_passes) +
             ", \"dropout\": " + check(*dropout_, problem.check_passes) + "}";
    }
    std::string variant;
    long steps = 0;
    in >> variant >> steps;
    if (command != "run" || !in || !plain_) throw std::invalid_argument("command: " + line);
    return std::to_string(nanoseconds_of(variant == "none" ? *plain_ : *dropout_, steps));
  }

 private:
  int threads_;
  std::optional<Network> plain_, dropout_;
};

}  // namespace

int main(int argc, char** argv) {
  const int threads = argc > 1 ? std::atoi(argv[1]) : 1;
  std::cout << "{\"who\": \"simdrop\", \"version\": \"table "
            << simdrop::isa_name(simdrop::active_isa()) << "\"}" << std::endl;
  Worker worker(threads);
  for (std::string line; std::getline(std::cin, line);) {
    try {
      std::cout << worker.answer(line) << std::endl;
    } catch (const std::exception& error) {
      std::cout << "{\"error\": \"" << error.what() << "\"}" << std::endl;
    }
  }
}
