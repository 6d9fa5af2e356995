// Calls of which one argument, drawn at random, is invalid: the error names it, and nothing is
// written.
#include <doctest/doctest.h>

#include <functional>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "helpers/expect_invalid.h"
#include "helpers/mlp_fixtures.h"
#include "random/cases.h"
#include "simdrop/dropout.hpp"
#include "simdrop/linear.hpp"
#include "simdrop/mlp.hpp"

namespace {

using namespace simdrop;
using random_case::Draw;

constexpr double quiet_nan = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

// One fault: what the error must begin with, and what makes it so.
template <class Arguments>
struct Fault {
  std::string name;
  std::function<void(Draw&, Arguments&)> spoil;
};
template <class Arguments>
using Faults = std::vector<Fault<Arguments>>;

double bad_keep_prob(Draw& draw) {
  const double values[] = {quiet_nan, infinity, -infinity, -5e-324, 1.0 + 0x1p-52, 1.5, -.5};
  return draw.pick(values);
}

// What can be wrong with a matrix of at least two rows and two columns.
template <class A>
void add_matrix(Faults<A>& faults, const std::string& name, Matrix A::*matrix) {
  faults.push_back({name, [=](Draw&, A& a) { (a.*matrix).data = nullptr; }});
  faults.push_back({name, [=](Draw& d, A& a) { (a.*matrix).ld = d.below((a.*matrix).cols); }});
  faults.push_back({name, [=](Draw& d, A& a) {
                      (a.*matrix).rows = ~std::size_t{0} / sizeof(float) - d.below(9);
                    }});
  faults.push_back({name, [=](Draw&, A& a) { (a.*matrix).ld = ~std::size_t{0} / 3; }});
}
template <class A>
void add_shape(Faults<A>& faults, const std::string& name, Matrix A::*matrix) {
  add_matrix(faults, name, matrix);
  faults.push_back({name, [=](Draw&, A& a) { --(a.*matrix).rows; }});
  faults.push_back({name, [=](Draw&, A& a) { --(a.*matrix).cols; }});
}
// Memory of another matrix, but not in place.
template <class A>
void add_overlap(Faults<A>& faults, const std::string& name, Matrix A::*out, Matrix A::*other) {
  faults.push_back({name, [=](Draw&, A& a) { (a.*out).data = (a.*other).data + 1; }});
}
template <class A>
void add_threads(Faults<A>& faults) {
  faults.push_back(
      {"threads.count", [](Draw& d, A& a) { a.threads = -1 - static_cast<int>(d.below(1000)); }});
}
template <class A>
void add_dropout(Faults<A>& faults, Dropout A::*dropout) {
  faults.push_back(
      {"keep_prob", [=](Draw& d, A& a) { (a.*dropout).keep_prob = bad_keep_prob(d); }});
  faults.push_back({"rule", [=](Draw& d, A& a) {
                      (a.*dropout).rule = static_cast<MaskRule>(2 + d.below(1000));
                    }});
  faults.push_back({"rounds", [=](Draw& d, A& a) {
                      (a.*dropout).rounds = static_cast<PhiloxRounds>(d.below(7));
                    }});
}
// A mask or a bias of another length.
template <class A, class T>
void add_array(Faults<A>& faults, const std::string& name, std::span<T> A::*array) {
  faults.push_back({name, [=](Draw&, A& a) {
                      a.*array = {(a.*array).data(), (a.*array).size() + 1};
                    }});
}

// The memory of all arguments, which must stay as it is.
struct Memory {
  explicit Memory(Draw& draw) : floats(16000), bytes(1000) {
    for (float& x : floats) x = draw.element<float>(false);
    before = floats;
  }
  [[nodiscard]] bool unchanged() const {
    return fixture::same_bits(floats, before) && bytes == std::vector<std::uint8_t>(1000);
  }
  std::vector<float> floats, before;
  std::vector<std::uint8_t> bytes;
};

// Spoils one argument, and expects the error of it.
template <class A, class Call>
void check_fault(Draw& draw, const Faults<A>& faults, A arguments, const Memory& memory,
                 Call call) {
  const Fault<A>& fault = faults[draw.below(faults.size())];
  fault.spoil(draw, arguments);
  test::expect_invalid(fault.name, "", [&] { call(arguments); });
  CHECK(memory.unchanged());
}

struct Elementwise {
  Matrix in{}, second{}, out{};
  std::span<float> bias{};
  std::span<std::uint8_t> mask{};
  Dropout dropout{.keep_prob = .5};
  double keep_prob = .5;
  Threads threads = 1;
  Stores stores = Stores::automatic;
};

enum class Operation { forward, backward, residual, bias_relu, relu_backward };

void call(Operation operation, bool given, const Elementwise& a) {
  switch (operation) {
    case Operation::forward:
      return dropout_forward(a.dropout, a.in, a.out, a.mask, a.threads, a.stores);
    case Operation::backward:
      return given ? dropout_backward(a.keep_prob, a.mask, ConstMatrix(a.in), a.out, a.threads,
                                      a.stores)
                   : dropout_backward(a.dropout, ConstMatrix(a.in), a.out, a.threads, a.stores);
    case Operation::residual:
      return given ? residual_dropout_forward(a.keep_prob, a.mask, ConstMatrix(a.in), a.second,
                                              a.out, a.threads, a.stores)
                   : residual_dropout_forward(a.dropout, ConstMatrix(a.in), a.second, a.out, a.mask,
                                              a.threads, a.stores);
    case Operation::bias_relu:
      return given ? bias_relu_dropout_forward(a.keep_prob, a.mask, ConstMatrix(a.in), a.bias,
                                               a.out, a.threads, a.stores)
                   : bias_relu_dropout_forward(a.dropout, ConstMatrix(a.in), a.bias, a.out, a.mask,
                                               a.threads, a.stores);
    case Operation::relu_backward:
      return relu_dropout_backward(a.keep_prob, ConstMatrix(a.in), a.second, a.out, a.threads,
                                   a.stores);
  }
}

Faults<Elementwise> faults_of(Operation operation, bool given) {
  using A = Elementwise;
  const bool backward = operation == Operation::backward;
  const bool relu_backward = operation == Operation::relu_backward;
  const std::string out = backward || relu_backward ? "dx" : "y";
  const std::string in = relu_backward ? "y" : backward ? "dy" : "x";
  Faults<A> faults;
  add_matrix(faults, in, &A::in);
  add_shape(faults, out, &A::out);
  add_overlap(faults, out, &A::out, &A::in);
  add_threads(faults);
  faults.push_back(
      {"stores", [](Draw& d, A& a) { a.stores = static_cast<Stores>(3 + d.below(99)); }});
  if (operation == Operation::residual || relu_backward) {
    add_shape(faults, relu_backward ? "dy" : "residual", &A::second);
    add_overlap(faults, out, &A::out, &A::second);
  }
  if (operation == Operation::bias_relu) add_array(faults, "bias", &A::bias);
  if (given ? !relu_backward : !backward && !relu_backward) add_array(faults, "mask", &A::mask);
  if (given || relu_backward) {
    faults.push_back({"keep_prob", [](Draw& d, A& a) { a.keep_prob = bad_keep_prob(d); }});
  } else {
    add_dropout(faults, &A::dropout);
  }
  return faults;
}

void check_elementwise(Draw& draw) {
  Memory memory(draw);
  const std::size_t rows = 2 + draw.below(30), cols = 2 + draw.below(50);
  const auto matrix = [&](std::size_t index) {
    return Matrix(memory.floats.data() + 2500 * index, rows, cols, cols + draw.below(9));
  };
  Elementwise a{.in = matrix(0), .second = matrix(1), .out = matrix(2)};
  a.bias = {memory.floats.data() + 7500, cols};
  a.mask = {memory.bytes.data(), mask_bytes(rows * cols)};
  const auto operation = static_cast<Operation>(draw.below(5));
  const bool given = operation != Operation::forward && draw.one_in(2);
  CAPTURE(static_cast<int>(operation));
  CAPTURE(given);
  check_fault(draw, faults_of(operation, given), a, memory,
              [&](const Elementwise& spoiled) { call(operation, given, spoiled); });
}

struct Linear {
  Matrix x{}, weights{}, y{}, dy{}, stored{}, dx{}, dw{};
  std::span<float> bias{}, db{};
  std::span<std::uint8_t> mask{};
  Dropout dropout{.keep_prob = .5};
  double keep_prob = .5;
  Activation activation = Activation::relu;
  Threads threads = 1;
};

Faults<Linear> faults_of_linear(std::size_t function) {
  using A = Linear;
  Faults<A> faults;
  add_threads(faults);
  if (function == 0) {
    add_matrix(faults, "x", &A::x);
    add_matrix(faults, "weights", &A::weights);
    add_shape(faults, "y", &A::y);
    add_overlap(faults, "y", &A::y, &A::x);
    add_overlap(faults, "y", &A::y, &A::weights);
    add_array(faults, "bias", &A::bias);
    add_array(faults, "mask", &A::mask);
    add_dropout(faults, &A::dropout);
    faults.push_back({"activation", [](Draw& d, A& a) {
                        a.activation = static_cast<Activation>(2 + d.below(99));
                      }});
  } else if (function == 1) {
    add_matrix(faults, "dy", &A::dy);
    add_matrix(faults, "weights", &A::weights);
    add_shape(faults, "stored", &A::stored);
    add_shape(faults, "dx", &A::dx);
    add_overlap(faults, "dx", &A::dx, &A::dy);
    add_overlap(faults, "dx", &A::dx, &A::stored);
    faults.push_back({"keep_prob", [](Draw& d, A& a) { a.keep_prob = bad_keep_prob(d); }});
  } else {
    add_matrix(faults, "dy", &A::dy);
    add_matrix(faults, "x", &A::x);
    add_shape(faults, "dw", &A::dw);
    add_overlap(faults, "dw", &A::dw, &A::x);
    add_array(faults, "db", &A::db);
  }
  return faults;
}

void check_linear(Draw& draw) {
  Memory memory(draw);
  const std::size_t batch = 2 + draw.below(30), in = 2 + draw.below(30), out = 2 + draw.below(30);
  const auto matrix = [&](std::size_t index, std::size_t rows, std::size_t cols) {
    return Matrix(memory.floats.data() + 1500 * index, rows, cols, cols + draw.below(9));
  };
  Linear a{.x = matrix(0, batch, in),
           .weights = matrix(1, out, in),
           .y = matrix(2, batch, out),
           .dy = matrix(3, batch, out),
           .stored = matrix(4, batch, in),
           .dx = matrix(5, batch, in),
           .dw = matrix(6, out, in)};
  a.bias = {memory.floats.data() + 11000, out};
  a.db = {memory.floats.data() + 12000, out};
  a.mask = {memory.bytes.data(), mask_bytes(batch * out)};
  const std::size_t function = draw.below(3);
  CAPTURE(function);
  check_fault(draw, faults_of_linear(function), a, memory, [&](const Linear& s) {
    LinearWorkspace workspace;
    if (function == 0) {
      linear_forward(s.x, s.weights, s.bias, s.activation, s.dropout, s.y, workspace, s.mask,
                     s.threads);
    } else if (function == 1) {
      linear_backward_input(s.dy, s.weights, s.stored, s.keep_prob, s.dx, workspace, s.threads);
    } else {
      linear_backward_weights(s.dy, s.x, 1.0, false, s.dw, s.db, workspace, s.threads);
    }
  });
}

Faults<MlpConfig> faults_of_config() {
  using C = MlpConfig;
  return {
      {"widths.size()", [](Draw& d, C& c) { c.widths.resize(d.below(2)); }},
      {"widths[", [](Draw& d, C& c) { c.widths[d.below(c.widths.size())] = 0; }},
      {"widths.back()",
       [](Draw& d, C& c) { c.widths.back() = d.one_in(2) ? 1 : 257 + d.below(99); }},
      {"keep_prob[", [](Draw& d, C& c) { c.keep_prob[d.below(2)] = bad_keep_prob(d); }},
      {"keep_prob.size()", [](Draw&, C& c) { c.keep_prob.resize(1); }},
      {"input_keep_prob", [](Draw& d, C& c) { c.input_keep_prob = bad_keep_prob(d); }},
      {"max_batch", [](Draw&, C& c) { c.max_batch = 0; }},
      {"num_threads", [](Draw& d, C& c) { c.num_threads = -1 - static_cast<int>(d.below(9)); }},
      {"dropout_unit",
       [](Draw& d, C& c) { c.dropout_unit = static_cast<DropoutUnit>(2 + d.below(9)); }},
      {"loss", [](Draw& d, C& c) { c.loss = static_cast<Loss>(3 + d.below(9)); }},
      {"init", [](Draw& d, C& c) { c.init = static_cast<Init>(2 + d.below(9)); }},
      {"lazy_updates", [](Draw&, C& c) { c.lazy_updates = true; }},
      {"dropout_group", [](Draw& d, C& c) { c.dropout_group = 1 + d.below(9); }},
  };
}

Faults<OptimizerConfig> faults_of_optimizer() {
  using C = OptimizerConfig;
  Faults<C> faults = {
      {"kind", [](Draw& d, C& c) { c.kind = static_cast<OptimizerKind>(3 + d.below(9)); }},
      {"nesterov", [](Draw&, C& c) { c.nesterov = true; }},
      {"epsilon", [](Draw&, C& c) { c.epsilon = 0.0; }},
  };
  const auto add = [&](const char* name, double C::*field, double beyond) {
    faults.push_back({name, [=](Draw& d, C& c) {
                        const double bad[] = {quiet_nan, infinity, -infinity, -1e-300, beyond};
                        c.*field = d.pick(bad);
                      }});
  };
  add("learning_rate", &C::learning_rate, -1.0);
  add("momentum", &C::momentum, 1.0);
  add("weight_decay", &C::weight_decay, -1.0);
  add("beta1", &C::beta1, 1.0);
  add("beta2", &C::beta2, 1.0);
  add("max_norm", &C::max_norm, -1.0);
  return faults;
}

// The arguments of a network's calls.
struct NetworkCall {
  Matrix x{}, values{}, out{}, variance{};
  std::uint64_t step = 0, first_sample = 0;
  std::size_t samples = 2, layer = 1;
  std::span<std::uint8_t> bits{};
  double keep_prob = .5;
  Threads threads = 1;
};

struct NetworkFunction {
  void (*call)(Mlp&, Optimizer&, const NetworkCall&);
  Faults<NetworkCall> faults;
};

std::vector<NetworkFunction> network_functions() {
  using A = NetworkCall;
  constexpr std::uint64_t most = std::uint64_t{1} << 40;
  Faults<A> forward, step, predict, monte_carlo, loss, inject, keep;
  add_shape(forward, "x", &A::x);
  forward.erase(forward.end() - 2);  // fewer rows are another batch
  add_threads(forward);
  step = predict = monte_carlo = forward;
  forward.push_back({"step", [](Draw& d, A& a) { a.step = most + d.below(99); }});
  add_shape(step, "targets", &A::values);
  for (Faults<A>* list : {&predict, &monte_carlo}) {
    const std::string name = list == &predict ? "out" : "mean";
    add_shape(*list, name, &A::out);
    add_overlap(*list, name, &A::out, &A::x);
  }
  add_shape(monte_carlo, "variance", &A::variance);
  add_overlap(monte_carlo, "variance", &A::variance, &A::out);
  monte_carlo.push_back({"samples", [](Draw&, A& a) { a.samples = 0; }});
  monte_carlo.push_back({"first_sample", [](Draw&, A& a) { a.first_sample = most - 1; }});
  add_shape(loss, "targets", &A::values);
  loss.push_back({"predictions", [](Draw&, A& a) { --a.out.cols; }});
  inject.push_back({"layer", [](Draw& d, A& a) { a.layer = 3 + d.below(99); }});
  add_array(inject, "bits.size()", &A::bits);
  keep.push_back({"layer", [](Draw& d, A& a) { a.layer = 3 + d.below(99); }});
  keep.push_back({"keep_prob", [](Draw& d, A& a) { a.keep_prob = bad_keep_prob(d); }});
  return {{[](Mlp& m, Optimizer&, const A& a) { m.forward(a.x, a.step, 0, a.threads); }, forward},
          {[](Mlp& m, Optimizer& o, const A& a) { m.train_step(a.x, a.values, o, 0, a.threads); },
           step},
          {[](Mlp& m, Optimizer&, const A& a) { m.predict(a.x, a.out, a.threads); }, predict},
          {[](Mlp& m, Optimizer&, const A& a) {
             m.predict_monte_carlo(a.x, a.samples, a.out, a.variance, a.first_sample, 0, a.threads);
           },
           monte_carlo},
          {[](Mlp& m, Optimizer&, const A& a) { (void)m.loss_of(a.out, a.values); }, loss},
          {[](Mlp& m, Optimizer&, const A& a) { m.inject_mask(a.layer, a.bits); }, inject},
          {[](Mlp& m, Optimizer&, const A& a) { m.set_keep_prob(a.layer, a.keep_prob); }, keep}};
}

void check_network(Draw& draw) {
  static const auto functions = network_functions();
  Memory memory(draw);
  MlpConfig config;
  config.widths = {2 + draw.below(30), 2 + draw.below(30), 2 + draw.below(30), 2 + draw.below(30)};
  config.keep_prob = {.5, .8};
  config.loss = Loss::identity_mse;  // of which any value may be a target
  config.max_batch = 2 + draw.below(30);
  config.seed = draw.word();
  Mlp mlp(config);
  Optimizer optimizer({}, mlp);
  const std::size_t rows = config.max_batch;
  const auto matrix = [&](std::size_t index, std::size_t cols) {
    return Matrix(memory.floats.data() + 1500 * index, rows, cols, cols + draw.below(9));
  };
  NetworkCall a{.x = matrix(0, config.widths[0]),
                .values = matrix(1, config.widths[3]),
                .out = matrix(2, config.widths[3]),
                .variance = matrix(3, config.widths[3])};
  a.bits = {memory.bytes.data(), mask_bytes(rows * config.widths[1])};
  const auto before = fixture::parameters(mlp);
  const std::size_t function = draw.below(functions.size());
  CAPTURE(function);
  check_fault(draw, functions[function].faults, a, memory,
              [&](const NetworkCall& s) { functions[function].call(mlp, optimizer, s); });
  CHECK(fixture::same_bits(fixture::parameters(mlp), before));
  CHECK(optimizer.step_count() == 0);
}

void check_configurations(Draw& draw) {
  static const auto config_faults = faults_of_config();
  static const auto optimizer_faults = faults_of_optimizer();
  Memory memory(draw);
  MlpConfig config;
  config.widths = {1 + draw.below(9), 1 + draw.below(9), 1 + draw.below(9), 2 + draw.below(9)};
  config.keep_prob = {.5, .8};
  check_fault(draw, config_faults, config, memory, [](const MlpConfig& c) { Mlp mlp(c); });
  const Mlp mlp(config);
  OptimizerConfig optimizer;
  optimizer.kind = draw.one_in(2) ? OptimizerKind::adam : OptimizerKind::sgd;
  check_fault(draw, optimizer_faults, optimizer, memory,
              [&](const OptimizerConfig& c) { Optimizer(c, mlp); });
}

}  // namespace

TEST_CASE("random: one invalid argument of an elementwise function") {
  random_case::for_each_case(2000, check_elementwise);
}

TEST_CASE("random: one invalid argument of the linear layer") {
  random_case::for_each_case(1000, check_linear);
}

TEST_CASE("random: one invalid argument of a network's function") {
  random_case::for_each_case(1000, check_network);
}

TEST_CASE("random: one invalid field of a configuration") {
  random_case::for_each_case(2000, check_configurations);
}
