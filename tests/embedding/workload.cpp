#include "embedding/workload.h"

#include <cstring>
#include <span>

#include "helpers/mlp_fixtures.h"
#include "helpers/test_sizes.h"
#include "simdrop/dropout.hpp"
#include "simdrop/linear.hpp"

namespace embedding {
namespace {

using namespace simdrop;

constexpr Dropout layer_dropout{.keep_prob = 0.7, .stream = {11, 12}, .first = 24};
constexpr std::size_t row_count = 40,
                      col_count = 2065;  // three ranges of dropout's grain, and a rest

template <class T>
void append(Bytes& all, const std::vector<T>& values) {
  const std::size_t before = all.size();
  all.resize(before + values.size() * sizeof(T));
  std::memcpy(all.data() + before, values.data(), values.size() * sizeof(T));
}

// Any bits do: whatever a kernel makes of them, it must always make the same of them.
template <class T>
std::vector<T> values(std::size_t n, std::uint32_t seed) {
  std::vector<T> v(n);
  const auto floats = fixture::uniform(n, seed);
  if constexpr (sizeof(T) == 2) {
    for (std::size_t i = 0; i < n; ++i) {
      std::uint32_t bits = 0;
      std::memcpy(&bits, &floats[i], 4);
      v[i].bits = static_cast<std::uint16_t>(bits >> 16U);
    }
  } else {
    for (std::size_t i = 0; i < n; ++i) v[i] = static_cast<T>(floats[i]);
  }
  return v;
}

template <class T>
void dropout(Bytes& all, const Threads& threads) {
  const std::size_t n = row_count * col_count;
  const auto x = values<T>(n, 1), dy = values<T>(n, 2), bias = values<T>(col_count, 3);
  std::vector<T> y(n), z(n);
  std::vector<std::uint8_t> mask(mask_bytes(n));
  const MatrixView<const T> in(x.data(), row_count, col_count),
      grad(dy.data(), row_count, col_count);
  const MatrixView<T> out(y.data(), row_count, col_count), other(z.data(), row_count, col_count);
  const auto keep = [&] { append(all, y); };
  dropout_forward(layer_dropout, in, out, mask, threads), keep();
  append(all, mask);
  dropout_backward(layer_dropout, grad, out, threads, Stores::streaming), keep();
  dropout_backward(0.7, mask, grad, out, threads), keep();
  bias_relu_dropout_forward(layer_dropout, in, std::span<const T>(bias), other, mask, threads);
  append(all, z);
  bias_relu_dropout_forward(0.7, mask, in, std::span<const T>(bias), out, threads), keep();
  relu_dropout_backward(0.7, MatrixView<const T>(other), grad, out, threads), keep();
}

template <class T>
void linear(Bytes& all, const Threads& threads) {
  constexpr std::size_t batch = 70, in = 130, out = 257;
  const auto x = values<T>(batch * in, 4), w = values<T>(out * in, 5), b = values<T>(out, 6);
  std::vector<T> y(batch * out), dx(batch * in), dw(out * in), db(out);
  const MatrixView<const T> input(x.data(), batch, in), weights(w.data(), out, in);
  const MatrixView<T> output(y.data(), batch, out);
  LinearWorkspace workspace;
  linear_forward(input, weights, std::span<const T>(b), Activation::relu, layer_dropout, output,
                 workspace, {}, threads);
  linear_backward_input(MatrixView<const T>(output), weights, input, 0.7,
                        MatrixView<T>(dx.data(), batch, in), workspace, threads);
  linear_backward_weights(MatrixView<const T>(output), input, 0.5, false,
                          MatrixView<T>(dw.data(), out, in), std::span<T>(db), workspace, threads);
  for (const auto* result : {&y, &dx, &dw, &db}) append(all, *result);
}

void network(Bytes& all, MlpConfig config, const Threads& threads, bool per_call) {
  std::optional<Threads> here;
  if (per_call) {
    here = threads;
  } else {
    config.num_threads = threads.count;
    config.executor = threads.executor;
  }
  Mlp mlp(config);
  Optimizer optimizer({.learning_rate = 0.01, .momentum = 0.9}, mlp.parameter_sizes());
  const auto batch = fixture::make_batch(config, config.max_batch, 7);
  std::vector<double> losses;
  for (int step = 0; step < 3; ++step) {
    losses.push_back(mlp.train_step(batch.inputs(), batch.targets(), optimizer, 7, here));
  }
  mlp.forward(batch.inputs(), 9, 3, here);
  losses.push_back(mlp.backward(batch.targets(), here));
  append(all, losses);
  append(all, fixture::parameters(mlp));
  append(all, fixture::gradients(mlp));
  std::vector<float> out(batch.rows * batch.outputs), spread(out.size());
  const Matrix mean{out.data(), batch.rows, batch.outputs};
  mlp.predict(batch.inputs(), mean, here);
  append(all, out);
  mlp.predict_monte_carlo(batch.inputs(), 3, mean, {spread.data(), mean.rows, mean.cols}, 0, 0,
                          here);
  append(all, out);
  append(all, spread);
}

}  // namespace

Bytes kernels(const Threads& threads) {
  Bytes all;
  std::vector<std::uint8_t> mask(mask_bytes(300'007));
  bernoulli_mask(layer_dropout, 300'007, mask, threads);
  append(all, mask);
  std::vector<std::uint32_t> words(100'003);
  philox_fill({1, 2}, 3, words, PhiloxRounds::ten, threads);
  append(all, words);
  dropout<float>(all, threads);
  dropout<double>(all, threads);
  dropout<bfloat16>(all, threads);
  dropout<float16>(all, threads);
  linear<float>(all, threads);
  linear<double>(all, threads);
  auto weights = values<float>(100'000, 8);
  Optimizer optimizer({.kind = OptimizerKind::adam, .max_norm = 3.0}, {weights.size()});
  optimizer.begin_step();
  optimizer.update(0, weights, values<float>(weights.size(), 9), threads, 100);
  append(all, weights);
  return all;
}

Bytes networks(const Threads& threads, bool per_call) {
  Bytes all;
  for (const DropoutUnit unit : {DropoutUnit::element, DropoutUnit::neuron}) {
    for (const Loss loss : fixture::all_losses) {
      auto config = fixture::make_config({60, 213, 129, 10}, loss, {0.8, 0.5, 0.7}, 65);
      config.record = false;
      config.keep_gradients = loss == Loss::softmax_ce;
      config.dropout_unit = unit;
      network(all, config, threads, per_call);
      if (test::case_stride() > 3) break;
    }
  }
  return all;
}

}  // namespace embedding
