#include "embedding/float_workload.h"

#include <array>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <optional>
#include <span>
#include <utility>

#include "helpers/mlp_fixtures.h"
#include "helpers/temporary_directory.h"
#include "simdrop/simdrop.h"
#include "simdrop/simdrop.hpp"

namespace embedding {
namespace {

using namespace simdrop;

// Of no probability that floats or doubles hold exactly; masks of the last are constant.
constexpr std::array keep_probs{0.7, 0.3, 1.0, 1e-310};

// Elements of any bits: subnormal, ordinary, infinite or NaN. Made before any mode is set.
template <class T>
std::vector<T> any_bits(std::size_t n, std::uint32_t seed) {
  const auto bytes = fixture::random_bits(n * sizeof(T) * 8, 0.5, seed);
  std::vector<T> v(n);
  std::memcpy(v.data(), bytes.data(), n * sizeof(T));
  return v;
}

// Without infinities and NaNs: a third are subnormal, a third have subnormal squares.
template <class T>
std::vector<T> finite(std::size_t n, std::uint32_t seed) {
  const auto floats = fixture::uniform(n, seed);
  constexpr T scales[] = {T(1), sizeof(T) == 8 ? T(1e-160) : T(1e-20),
                          sizeof(T) == 8 ? T(1e-310) : T(1e-39)};
  std::vector<T> v(n);
  for (std::size_t i = 0; i < n; ++i) v[i] = static_cast<T>(floats[i]) * scales[i % 3];
  return v;
}

template <class T>
void append(Bytes& all, const T* data, std::size_t n) {
  const std::size_t before = all.size();
  all.resize(before + n * sizeof(T));
  std::memcpy(all.data() + before, data, n * sizeof(T));
}
template <class T>
void append(Bytes& all, const std::vector<T>& values) {
  append(all, values.data(), values.size());
}

Bytes masks(const Threads& threads) {
  Bytes all;
  for (const double keep_prob : keep_probs) {
    for (const MaskRule rule : {MaskRule::dyadic, MaskRule::words}) {
      std::vector<std::uint8_t> mask(mask_bytes(150'007));
      bernoulli_mask({.keep_prob = keep_prob, .stream = {1, 2}, .rule = rule}, 150'007, mask,
                     threads);
      append(all, mask);
    }
  }
  return all;
}

// Two ranges of dropout's grain, and a rest.
constexpr std::size_t rows = 40, cols = 2065, elements = rows * cols;

template <class T>
struct Elementwise {
  std::vector<T> x = any_bits<T>(elements, 1), more = any_bits<T>(elements, 2),
                 bias = any_bits<T>(cols, 3);
  std::vector<std::uint8_t> mask = fixture::random_bits(elements, 0.7, 4);

  void run(Bytes& all, double keep_prob, const Threads& threads) const {
    const Dropout dropout{.keep_prob = keep_prob, .stream = {11, 12}, .first = 24};
    std::vector<T> out(elements);
    const MatrixView<const T> in(x.data(), rows, cols), other(more.data(), rows, cols);
    const MatrixView<T> y(out.data(), rows, cols);
    const std::span<const T> b(bias);
    const auto keep = [&] { append(all, out); };
    dropout_forward(dropout, in, y, {}, threads), keep();
    dropout_backward(dropout, in, y, threads), keep();
    dropout_backward(keep_prob, mask, in, y, threads), keep();
    residual_dropout_forward(dropout, in, other, y, {}, threads), keep();
    residual_dropout_forward(keep_prob, mask, in, other, y, threads), keep();
    bias_relu_dropout_forward(dropout, in, b, y, {}, threads), keep();
    bias_relu_dropout_forward(keep_prob, mask, in, b, y, threads), keep();
    relu_dropout_backward(keep_prob, in, other, y, threads), keep();
  }
};

template <class T>
FloatWork elementwise(const char* name) {
  return {name, [data = Elementwise<T>()](const Threads& threads) {
            Bytes all;
            for (const double keep_prob : {0.7, 1e-310}) data.run(all, keep_prob, threads);
            return all;
          }};
}

constexpr std::size_t batch = 70, ins = 130, outs = 257;

template <class T>
struct Linear {
  std::vector<T> x = finite<T>(batch * ins, 4), w = finite<T>(outs * ins, 5),
                 b = finite<T>(outs, 6), dy = finite<T>(batch * outs, 7);

  [[nodiscard]] Bytes run(double keep_prob, const Threads& threads) const {
    Bytes all;
    std::vector<T> y(batch * outs), dx(batch * ins), dw(outs * ins), db(outs);
    const MatrixView<const T> in(x.data(), batch, ins), weights(w.data(), outs, ins),
        grad(dy.data(), batch, outs);
    LinearWorkspace workspace;
    linear_forward(in, weights, std::span<const T>(b), Activation::relu,
                   {.keep_prob = keep_prob, .stream = {3, 4}}, MatrixView<T>(y.data(), batch, outs),
                   workspace, {}, threads);
    linear_backward_input(grad, weights, in, keep_prob, MatrixView<T>(dx.data(), batch, ins),
                          workspace, threads);
    linear_backward_weights(grad, in, 0.3, false, MatrixView<T>(dw.data(), outs, ins),
                            std::span<T>(db), workspace, threads);
    for (const auto* result : {&y, &dx, &dw, &db}) append(all, *result);
    return all;
  }
};

template <class T>
FloatWork linear(const char* name) {
  return {name, [data = Linear<T>()](const Threads& threads) { return data.run(0.7, threads); }};
}

// Also with numbers in the configuration that a mode would make another.
const std::array<OptimizerConfig, 4> optimizers{
    {{.learning_rate = 0.1,
      .momentum = 0.9,
      .nesterov = true,
      .weight_decay = 1e-3,
      .max_norm = 1.1},
     {.learning_rate = 0.1, .momentum = 1e-310},
     {.kind = OptimizerKind::adam, .learning_rate = 1e-3, .max_norm = 0.7},
     {.kind = OptimizerKind::adamw, .learning_rate = 1e-3, .weight_decay = 0.1}}};

Bytes updates(const Threads& threads) {
  static const auto start = finite<float>(100'000, 8), gradient = finite<float>(start.size(), 9);
  Bytes all;
  for (const OptimizerConfig& config : optimizers) {
    auto weights = start;
    Optimizer optimizer(config, {weights.size()});
    optimizer.set_learning_rate(0.03);
    for (int step = 0; step < 2; ++step) {
      optimizer.begin_step();
      optimizer.update(0, weights, gradient, threads, 100);
    }
    append(all, weights);
  }
  return all;
}

struct Network {
  MlpConfig config;
  OptimizerConfig optimizer;
  fixture::Batch data;

  Network(Loss loss, DropoutUnit unit, const OptimizerConfig& optimizer_)
      : config(fixture::make_config({60, 213, 129, 10}, loss, {0.8, 0.7, 0.3}, 65)),
        optimizer(optimizer_),
        data(fixture::make_batch(config, 65, 7)) {
    config.init = unit == DropoutUnit::neuron ? Init::xavier : Init::he;
    config.dropout_unit = unit;
    config.record = false;
    const auto small = finite<float>(data.x.size(), 10);
    for (std::size_t i = 0; i < small.size(); i += 5) data.x[i] = small[i];
  }

  // Its weights as they are initialised, or any.
  [[nodiscard]] Mlp made(const Threads& threads) const {
    MlpConfig with = config;
    with.num_threads = threads.count;
    with.executor = threads.executor;
    return Mlp(with);
  }

  void train(Bytes& all, Mlp& mlp) const {
    Optimizer opt(optimizer, mlp);
    std::vector<double> losses;
    for (int step = 0; step < 2; ++step) {
      losses.push_back(mlp.train_step(data.inputs(), data.targets(), opt, 7));
    }
    append(all, fixture::copy_of(mlp.forward(data.inputs(), 9, 3)));
    losses.push_back(mlp.backward(data.targets()));
    append(all, fixture::parameters(mlp));
    append(all, fixture::gradients(mlp));
    append(all, losses);
  }

  void predict(Bytes& all, Mlp& mlp, const Threads& threads) const {
    std::vector<float> out(data.rows * data.outputs), spread(out.size());
    const Matrix mean(out, data.rows, data.outputs), variance(spread, data.rows, data.outputs);
    mlp.predict(data.inputs(), mean);
    append(all, out);
    const std::vector<double> loss{mlp.loss_of(mean, data.targets())};
    append(all, loss);
    mlp.predict_monte_carlo(data.inputs(), 3, mean, variance);
    append(all, out);
    append(all, spread);
    Predictor predictor(mlp, 20, threads);
    predictor.predict(data.inputs(), mean);
    append(all, out);
    predictor.predict_monte_carlo(data.inputs(), 3, mean, variance);
    append(all, out);
    append(all, spread);
  }

  [[nodiscard]] Bytes run(const Threads& threads) const {
    Bytes all;
    Mlp mlp = made(threads);
    append(all, fixture::parameters(mlp));
    mlp.set_keep_prob(1, 0.6);
    Mlp same = mlp.clone();
    train(all, same);
    predict(all, same, threads);
    return all;
  }
};

FloatWork network(const char* name, Loss loss, DropoutUnit unit, const OptimizerConfig& optimizer) {
  return {name,
          [n = Network(loss, unit, optimizer)](const Threads& threads) { return n.run(threads); }};
}

// A file's bytes, and what is read from it. The path is made in the first call: std::filesystem
// itself computes on floating-point numbers.
Bytes checkpoints(const Threads& threads) {
  static const Network network(Loss::softmax_ce, DropoutUnit::element, optimizers[1]);
  static const test::TemporaryDirectory directory;
  static const std::string name = directory.name("network");
  static const std::filesystem::path path(name);
  Bytes all;
  Mlp mlp = network.made(threads);
  for (const OptimizerConfig& config : optimizers) {
    Optimizer optimizer(config, mlp);
    mlp.set_keep_prob(0, 1e-310);
    save_checkpoint(path, mlp, &optimizer);
    const std::string file = test::read_file(name);
    append(all, file.data(), file.size());
    const Checkpoint read = load_checkpoint(path, {});
    append(all, fixture::parameters(read.mlp));
    append(all, read.mlp.config().keep_prob);
    const OptimizerConfig& c = read.optimizer->config();
    append(all, std::vector<double>{c.learning_rate, c.momentum, c.weight_decay, c.beta1, c.beta2,
                                    c.epsilon, c.max_norm});
  }
  return all;
}

// The C functions that take a double of which something is computed, and those that make numbers.
Bytes c_functions(const Threads& /*threads*/) {
  static const auto x = finite<float>(64, 11);
  static const std::vector<std::uint8_t> bits(8, 0xB5);
  static const test::TemporaryDirectory directory;
  static const std::string file = directory.name("network");
  constexpr std::array<std::int64_t, 3> widths{8, 16, 4};
  Bytes all;
  std::vector<std::int32_t> statuses;
  std::vector<float> y(64);
  std::vector<double> loss(1);
  const auto keep = [&](simdrop_status status) {
    statuses.push_back(status);
    append(all, y);
  };
  simdrop_dropout dropout;
  simdrop_dropout_init(&dropout, sizeof(dropout), nullptr);
  dropout.keep_prob = 0.7;
  keep(simdrop_dropout_forward(&dropout, SIMDROP_F32, 1, 64, x.data(), 64, y.data(), 64, nullptr,
                               nullptr, nullptr));
  for (const double keep_prob : {0.7, 1e-310, -1e-310}) {
    keep(simdrop_dropout_backward_from_mask(keep_prob, bits.data(), SIMDROP_F32, 1, 64, x.data(),
                                            64, y.data(), 64, nullptr, nullptr));
  }
  simdrop_mlp_config config;
  simdrop_mlp_config_init(&config, sizeof(config), nullptr);
  config.widths = widths.data();
  config.num_widths = widths.size();
  simdrop_mlp* mlp = nullptr;
  simdrop_optimizer* optimizer = nullptr;
  simdrop_optimizer_config sgd;
  simdrop_optimizer_config_init(&sgd, sizeof(sgd), nullptr);
  statuses.push_back(simdrop_mlp_create(&config, &mlp, nullptr));
  statuses.push_back(simdrop_mlp_set_keep_prob(mlp, 1, -1e-310, nullptr));
  statuses.push_back(simdrop_mlp_set_keep_prob(mlp, 1, 0.7, nullptr));
  statuses.push_back(simdrop_optimizer_create(&sgd, mlp, &optimizer, nullptr));
  statuses.push_back(simdrop_optimizer_set_learning_rate(optimizer, -1e-310, nullptr));
  const std::array<std::uint8_t, 8> labels{0, 1, 2, 3, 3, 2, 1, 0};
  const simdrop_targets targets{sizeof(targets), labels.data(), nullptr, 0};
  for (int step = 0; step < 2; ++step) {
    statuses.push_back(simdrop_mlp_train_step(mlp, 8, x.data(), 8, &targets, optimizer, 0,
                                              loss.data(), nullptr, nullptr));
    append(all, loss);
  }
  statuses.push_back(simdrop_mlp_save(file.c_str(), mlp, optimizer, nullptr));
  simdrop_mlp* read = nullptr;
  statuses.push_back(simdrop_mlp_load(file.c_str(), &config, &read, nullptr, nullptr));
  keep(simdrop_mlp_predict(read, 8, x.data(), 8, y.data(), 4, nullptr, nullptr));
  simdrop_mlp_destroy(read);
  keep(simdrop_mlp_predict(mlp, 8, x.data(), 8, y.data(), 4, nullptr, nullptr));
  simdrop_optimizer_destroy(optimizer);
  simdrop_mlp_destroy(mlp);
  append(all, statuses);
  return all;
}

}  // namespace

const std::vector<FloatWork>& float_works() {
  static const std::vector<FloatWork> works{
      {"masks", masks},
      elementwise<float>("float"),
      elementwise<double>("double"),
      elementwise<bfloat16>("bfloat16"),
      elementwise<float16>("float16"),
      linear<float>("linear, float"),
      linear<double>("linear, double"),
      {"updates", updates},
      network("softmax", Loss::softmax_ce, DropoutUnit::element, optimizers[0]),
      network("sigmoid", Loss::sigmoid_bce, DropoutUnit::element, optimizers[2]),
      network("squares", Loss::identity_mse, DropoutUnit::neuron, optimizers[3]),
      {"checkpoints", checkpoints},
      {"C", c_functions}};
  return works;
}

}  // namespace embedding
