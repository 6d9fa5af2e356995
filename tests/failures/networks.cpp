// Networks, what trains them and what predicts with them.
#include <memory>
#include <optional>

#include "failures/networks.h"
#include "helpers/mlp_fixtures.h"
#include "helpers/pools.h"
#include "simdrop/predictor.hpp"

namespace failures {

using namespace simdrop;

std::vector<MlpConfig> network_configs() {
  static test::QueuePool pool(1);
  auto small = fixture::make_config({5, 17, 9, 3}, Loss::softmax_ce, {0.9, 0.5, 0.8}, 8);
  small.seed = 42;
  auto two = fixture::make_config({12, 40, 24, 3}, Loss::sigmoid_bce, {1.0, 0.5, 0.8}, 10);
  two.num_threads = 2;
  two.dropout_unit = DropoutUnit::neuron;
  two.dropout_group = 4;
  auto on_pool = fixture::make_config({12, 40, 24, 3}, Loss::identity_mse, {0.8, 0.5, 1.0}, 10);
  on_pool.num_threads = 0;
  on_pool.executor = &pool;
  on_pool.dropout_unit = DropoutUnit::neuron;
  on_pool.lazy_updates = true;
  return {small, two, on_pool};
}

Bytes look(Mlp& mlp) {
  Bytes all;
  const auto batch = fixture::make_batch(mlp.config(), mlp.config().max_batch, 5);
  append(all, fixture::parameters(mlp));
  append(all, fixture::copy_of(mlp.forward(batch.inputs(), 3, 1)));
  for (std::size_t l = 0; l < mlp.num_layers(); ++l) append(all, mlp.mask(l));
  append(all, std::vector{mlp.backward(batch.targets())});
  append(all, fixture::gradients(mlp));
  Optimizer optimizer({.learning_rate = 0.1, .momentum = 0.9}, mlp);
  append(all, std::vector{mlp.train_step(batch.inputs(), batch.targets(), optimizer)});
  append(all, fixture::parameters(mlp));
  std::vector<float> mean(batch.rows * batch.outputs), variance(mean.size());
  const Matrix out{mean.data(), batch.rows, batch.outputs};
  mlp.predict(batch.inputs(), out);
  append(all, mean);
  mlp.predict_monte_carlo(batch.inputs(), 2, out, {variance.data(), out.rows, out.cols});
  append(all, mean);
  append(all, variance);
  append(all, std::vector{mlp.num_parameters()});
  append(all, mlp.config().widths);
  append(all, mlp.config().keep_prob);
  return all;
}

namespace {

struct Network {
  MlpConfig config;
  Mlp mlp;
  fixture::Batch batch;
  std::optional<Mlp> other;
  std::optional<Predictor> predictor;
  std::vector<std::size_t> sizes;
  std::vector<float> mean, variance;
  std::vector<std::uint8_t> bits;
  Message message;

  explicit Network(const MlpConfig& config_)
      : config(config_),
        mlp(config),
        batch(fixture::make_batch(config, config.max_batch, 11)),
        mean(batch.rows * batch.outputs),
        variance(mean.size()),
        bits(fixture::random_bits(config.max_batch * config.widths[1], 0.5, 3)) {
    if (config.dropout_unit == DropoutUnit::neuron) {
      const std::size_t group = config.dropout_group;
      const std::size_t groups = group == 0 ? 1 : 1 + (config.max_batch - 1 + group - 1) / group;
      bits.resize(mask_bytes(groups * config.widths[1]));
    }
  }
  Matrix out() { return {mean.data(), batch.rows, batch.outputs}; }
  Matrix spread() { return {variance.data(), batch.rows, batch.outputs}; }
};

Bytes look_around(Network& n) {
  Bytes all;
  append(all, n.mean);
  append(all, n.variance);
  append(all, n.sizes);
  append(all, std::string(n.message.text));
  if (n.predictor) {
    n.predictor->predict(n.batch.inputs(), n.out());
    append(all, n.mean);
    n.predictor->predict_monte_carlo(n.batch.inputs(), 2, n.out(), n.spread());
    append(all, n.variance);
  }
  append(all, look(n.mlp));
  if (n.other) append(all, look(*n.other));
  return all;
}

template <class Call>
void add(Trials& trials, const std::string& function, const std::string& what,
         const std::vector<MlpConfig>& configs, Call call) {
  for (const MlpConfig& config : configs) {
    trials.push_back({"simdrop::" + function, what, [config, call] {
                        return every_allocation_fails(
                            [&] { return std::make_unique<Network>(config); },
                            [&](Network& n) { keep_error(n.message, [&] { call(n); }); },
                            look_around);
                      }});
  }
}
template <class Call>
void add(Trials& trials, const std::string& function, const std::string& what, Call call) {
  add(trials, function, what, network_configs(), call);
}
// The text of an error, which is the same in all networks.
template <class Call>
void add_error(Trials& trials, const std::string& function, Call call) {
  add(trials, function, "an error", {network_configs().front()}, call);
}

// More threads than any call before had, so that memory for them is needed.
Threads more_threads() {
  static test::SerialExecutor nine(9);
  return nine;
}

void add_calls(Trials& trials) {
  using N = Network;
  add(trials, "Mlp::forward", "more threads",
      [](N& n) { n.mlp.forward(n.batch.inputs(), 1, 0, more_threads()); });
  add_error(trials, "Mlp::forward", [](N& n) { n.mlp.forward({}, 1); });
  add(trials, "Mlp::backward", "more threads", [](N& n) {
    // The forward before it is part of the call: its own need is met by a first one.
    n.mlp.forward(n.batch.inputs(), 1);
    n.mlp.backward(n.batch.targets(), more_threads());
  });
  add_error(trials, "Mlp::backward", [](N& n) { n.mlp.backward(n.batch.targets()); });
  add_error(trials, "Mlp::train_step", [](N& n) {
    static Optimizer wrong({}, {std::size_t{3}});
    n.mlp.train_step(n.batch.inputs(), n.batch.targets(), wrong);
  });
  add(trials, "Mlp::train_step", "an optimizer and more threads", [](N& n) {
    Optimizer optimizer({.momentum = 0.9}, n.mlp);
    n.mlp.train_step(n.batch.inputs(), n.batch.targets(), optimizer, 0, more_threads());
  });
  add(trials, "Mlp::predict", "more threads",
      [](N& n) { n.mlp.predict(n.batch.inputs(), n.out(), more_threads()); });
  add_error(trials, "Mlp::predict", [](N& n) { n.mlp.predict(n.batch.inputs(), {}); });
  add(trials, "Mlp::predict_monte_carlo", "more threads", [](N& n) {
    n.mlp.predict_monte_carlo(n.batch.inputs(), 3, n.out(), n.spread(), 0, 0, more_threads());
  });
  add_error(trials, "Mlp::predict_monte_carlo",
            [](N& n) { n.mlp.predict_monte_carlo(n.batch.inputs(), 3, n.out(), n.out()); });
  add_error(trials, "Mlp::loss_of", [](N& n) { (void)n.mlp.loss_of({}, n.batch.targets()); });
}

void add_readers(Trials& trials) {
  using N = Network;
  const auto error = [&](const char* function, auto call) {
    add_error(trials, std::string("Mlp::") + function, [call](N& n) { (void)call(n.mlp); });
  };
  error("weights", [](const Mlp& m) { return m.weights(9); });
  error("bias", [](const Mlp& m) { return m.bias(0); });
  error("z", [](const Mlp& m) { return m.z(0); });
  error("a", [](const Mlp& m) { return m.a(1); });
  error("mask", [](const Mlp& m) { return m.mask(3); });
  error("da", [](const Mlp& m) { return m.da(1); });
  error("dz", [](const Mlp& m) { return m.dz(7); });
  error("dw", [](const Mlp& m) { return m.dw(1); });
  error("db", [](const Mlp& m) { return m.db(1); });
  error("mask_stream_id", [](const Mlp&) { return Mlp::mask_stream_id(1, ~0ULL); });
  error("sample_stream_id", [](const Mlp&) { return Mlp::sample_stream_id(9999, 1); });
}

}  // namespace

Trials network_trials() {
  using N = Network;
  Trials trials;
  add(trials, "Mlp::Mlp", "a network", [](N& n) { n.other.emplace(n.config); });
  add_error(trials, "Mlp::Mlp", [](N& n) {
    MlpConfig wrong = n.config;
    wrong.keep_prob.assign(2, 1.5);
    n.other.emplace(wrong);
  });
  add(trials, "Mlp::operator=", "over another", [](N& n) { n.mlp = Mlp(n.config); });
  add(trials, "Mlp::clone", "as it is", [](N& n) { n.other = n.mlp.clone(); });
  add(trials, "Mlp::clone", "with a mask, on two threads", [](N& n) {
    Mlp copy = n.mlp.clone();
    copy.inject_mask(1, n.bits);
    n.other = copy.clone(2);
  });
  add(trials, "Mlp::parameter_sizes", "", [](N& n) { n.sizes = n.mlp.parameter_sizes(); });
  add(trials, "Mlp::inject_mask", "bits", [](N& n) { n.mlp.inject_mask(1, n.bits); });
  add_error(trials, "Mlp::inject_mask",
            [](N& n) { n.mlp.inject_mask(1, std::span(n.bits).first(1)); });
  add_error(trials, "Mlp::set_keep_prob", [](N& n) { n.mlp.set_keep_prob(1, -0.25); });
  add_calls(trials);
  add_readers(trials);
  add(trials, "Predictor::Predictor", "one thread",
      [](N& n) { n.predictor.emplace(n.mlp, n.batch.rows); });
  add_error(trials, "Predictor::Predictor", [](N& n) { n.predictor.emplace(n.mlp, 0); });
  add(trials, "Predictor::operator=", "over another", [](N& n) {
    Predictor other(n.mlp, 3);
    other = Predictor(n.mlp, n.batch.rows);
    n.predictor = std::move(other);
  });
  add(trials, "Predictor::predict", "more threads", [](N& n) {
    Predictor predictor(n.mlp, n.batch.rows);
    predictor.predict(n.batch.inputs(), n.out(), more_threads());
  });
  add(trials, "Predictor::predict_monte_carlo", "more threads", [](N& n) {
    Predictor predictor(n.mlp, n.batch.rows);
    predictor.predict_monte_carlo(n.batch.inputs(), 2, n.out(), n.spread(), 0, 0, more_threads());
  });
  return trials;
}

}  // namespace failures
