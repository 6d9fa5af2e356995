// Five training steps with given masks against PyTorch (data/torch_steps.txt), for the oracle and
// for the MLP: losses of each step, and weights and biases at the end.
#include <doctest/doctest.h>

#include <cmath>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "helpers/mlp_fixtures.h"
#include "helpers/optimizer_cases.h"
#include "reference/optimizer_reference.h"

namespace {

using namespace simdrop;

// The oracle's bounds are for float; PyTorch and the oracle computed in double, each within
// 2^-29 of them.
constexpr double double_over_float = 0x1p-28;

struct Case {
  std::string name;
  MlpConfig config;
  OptimizerConfig optimizer;
  fixture::Batch batch;
  std::vector<std::vector<double>> start, end;  // W1, b1, W2, ...
  std::vector<reference::Masks> masks;          // by step
  std::vector<double> losses;                   // by step
};

struct Shape {
  std::vector<std::size_t> widths;
  std::size_t batch, steps;
  std::vector<double> keep_probs;
};

std::vector<double> read_numbers(std::istream& in, std::size_t n) {
  std::vector<double> numbers(n);
  for (double& v : numbers) in >> v;
  return numbers;
}

std::vector<std::vector<double>> read_parameters(std::istream& in, const Shape& shape) {
  std::vector<std::vector<double>> parameters;
  for (std::size_t l = 1; l < shape.widths.size(); ++l) {
    parameters.push_back(read_numbers(in, shape.widths[l] * shape.widths[l - 1]));
    parameters.push_back(read_numbers(in, shape.widths[l]));
  }
  return parameters;
}

Loss loss_named(const std::string& name) {
  if (name == "sigmoid_bce") return Loss::sigmoid_bce;
  return name == "softmax_ce" ? Loss::softmax_ce : Loss::identity_mse;
}

OptimizerKind kind_named(const std::string& name) {
  if (name == "sgd") return OptimizerKind::sgd;
  return name == "adam" ? OptimizerKind::adam : OptimizerKind::adamw;
}

Case read_case(std::istream& in, const Shape& shape, const std::string& name) {
  Case c;
  c.name = name;
  std::string loss;
  std::string method;
  OptimizerConfig& o = c.optimizer;
  in >> loss >> method >> o.learning_rate >> o.momentum >> o.nesterov >> o.weight_decay;
  o.kind = kind_named(method);
  c.config = fixture::make_config(shape.widths, loss_named(loss), shape.keep_probs, shape.batch);
  c.start = read_parameters(in, shape);
  c.batch = fixture::make_batch(c.config, shape.batch, 0);
  for (float& v : c.batch.x) in >> v;
  for (float& v : c.batch.values) in >> v;
  for (std::size_t r = 0; r < c.batch.labels.size(); ++r) {
    for (std::size_t k = 0; k < c.batch.outputs; ++k) {
      if (c.batch.values[r * c.batch.outputs + k] == 1.0F) {
        c.batch.labels[r] = static_cast<std::uint8_t>(k);
      }
    }
  }
  for (std::size_t step = 0; step < shape.steps; ++step) {
    reference::Masks masks;
    for (std::size_t l = 0; l + 1 < shape.widths.size(); ++l) {
      std::string bits;
      in >> bits;
      REQUIRE(bits.size() == shape.batch * shape.widths[l]);
      masks.emplace_back();
      for (const char bit : bits) masks.back().push_back(bit == '1');
    }
    c.masks.push_back(masks);
    c.losses.push_back(read_numbers(in, 1)[0]);
  }
  c.end = read_parameters(in, shape);
  REQUIRE(in);
  return c;
}

std::vector<Case> read_cases() {
  std::ifstream in(SIMDROP_TEST_DATA "/torch_steps.txt");
  REQUIRE(in);
  std::string comment;
  while (in.peek() == '#') std::getline(in, comment);
  Shape shape;
  shape.widths.resize(4);
  for (std::size_t& width : shape.widths) in >> width;
  in >> shape.batch >> shape.steps;
  shape.keep_probs = read_numbers(in, 3);
  std::vector<Case> cases;
  for (std::string name; in >> name;) cases.push_back(read_case(in, shape, name));
  REQUIRE(cases.size() == 4);
  return cases;
}

// Weights and biases of the oracle, W1, b1, W2, ..., and its losses, after all steps.
struct OracleRun {
  std::vector<reference::Tensor> parameters;
  std::vector<reference::Bounded> losses;
};

OracleRun run_oracle(const Case& c, reference::Network network) {
  std::vector<reference::ReferenceOptimizer> optimizers;
  for (const auto& array : c.start) {
    optimizers.emplace_back(fixture::hyperparameters(c.optimizer), array.size());
  }
  const auto x = fixture::tensor_of(c.batch.inputs());
  const auto y =
      fixture::tensor_of(ConstMatrix{c.batch.values.data(), c.batch.rows, c.batch.outputs});
  OracleRun run;
  for (const reference::Masks& masks : c.masks) {
    auto pass = reference::forward(network, x, masks);
    reference::backward(network, y, masks, pass);
    REQUIRE(pass.ambiguous_gates == 0);
    run.losses.push_back(pass.loss);
    for (std::size_t l = 1; l <= network.layers(); ++l) {
      optimizers[2 * l - 2].step(network.weights[l].values, pass.dw[l].values);
      optimizers[2 * l - 1].step(network.bias[l].values, pass.db[l].values);
    }
  }
  for (std::size_t l = 1; l <= network.layers(); ++l) {
    run.parameters.push_back(network.weights[l]);
    run.parameters.push_back(network.bias[l]);
  }
  return run;
}

Mlp network_at_start(const Case& c) {
  Mlp mlp(c.config);
  for (std::size_t l = 1; l <= mlp.num_layers(); ++l) {
    const Matrix w = mlp.weights(l);
    for (std::size_t i = 0; i < w.size(); ++i) {
      w(i / w.cols, i % w.cols) = static_cast<float>(c.start[2 * l - 2][i]);
    }
    for (std::size_t i = 0; i < w.rows; ++i) {
      mlp.bias(l)[i] = static_cast<float>(c.start[2 * l - 1][i]);
    }
  }
  return mlp;
}

}  // namespace

TEST_CASE("mlp: the oracle equals PyTorch") {
  for (const Case& c : read_cases()) {
    CAPTURE(c.name);
    const OracleRun run = run_oracle(c, fixture::network_of(network_at_start(c)));
    for (std::size_t step = 0; step < c.losses.size(); ++step) {
      const auto loss = run.losses[step];
      CHECK(std::abs(loss.value - c.losses[step]) <= double_over_float * loss.bound);
    }
    for (std::size_t p = 0; p < c.end.size(); ++p) {
      for (std::size_t i = 0; i < c.end[p].size(); ++i) {
        const auto want = run.parameters[p].values[i];
        CHECK(std::abs(want.value - c.end[p][i]) <= double_over_float * want.bound);
      }
    }
  }
}

TEST_CASE("mlp: training equals PyTorch") {
  for (const Case& c : read_cases()) {
    CAPTURE(c.name);
    Mlp mlp = network_at_start(c);
    Optimizer optimizer(c.optimizer, mlp.parameter_sizes());
    const OracleRun run = run_oracle(c, fixture::network_of(mlp));
    for (std::size_t step = 0; step < c.losses.size(); ++step) {
      fixture::inject_masks(mlp, c.masks[step]);
      const double loss = mlp.train_step(c.batch.inputs(), c.batch.targets(), optimizer);
      CHECK(std::abs(loss - c.losses[step]) <= (1.0 + double_over_float) * run.losses[step].bound);
    }
    for (std::size_t p = 0; p < c.end.size(); ++p) {
      reference::Tensor want = run.parameters[p];
      for (std::size_t i = 0; i < c.end[p].size(); ++i) {
        want.values[i].value = c.end[p][i];
        want.values[i].bound *= 1.0 + double_over_float;
      }
      const std::size_t layer = p / 2 + 1;
      const ConstMatrix got = p % 2 == 0 ? ConstMatrix(mlp.weights(layer))
                                         : ConstMatrix(std::as_const(mlp).bias(layer));
      fixture::check_close(got, want, "parameter array " + std::to_string(p), 1e-2);
    }
  }
}
