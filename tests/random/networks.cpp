// Networks with any options against the textbook: every number within the error that float
// arithmetic may make on the way to it.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "helpers/mlp_fixtures.h"
#include "helpers/optimizer_cases.h"
#include "random/cases.h"
#include "random/optimizer_draw.h"
#include "reference/mask_reference.h"
#include "simdrop/mlp.hpp"
#include "simdrop/predictor.hpp"

namespace {

using namespace simdrop;
using random_case::Draw;

MlpConfig any_config(Draw& draw) {
  MlpConfig config;
  for (std::size_t l = 2 + draw.below(3); l > 0; --l) {
    config.widths.push_back(1 + draw.below(draw.one_in(8) ? 150 : 30));
  }
  const std::size_t hidden = config.widths.size() - 2;
  for (std::size_t l = 0; l < hidden; ++l) config.keep_prob.push_back(draw.keep_prob());
  if (draw.one_in(2)) config.input_keep_prob = draw.keep_prob();
  config.dropout_unit = draw.one_in(2) ? DropoutUnit::element : DropoutUnit::neuron;
  const bool neuron = config.dropout_unit == DropoutUnit::neuron;
  if (neuron && draw.one_in(2)) config.dropout_group = 1 + draw.below(20);
  config.lazy_updates = neuron && config.dropout_group == 0 && draw.one_in(2);
  config.loss = static_cast<Loss>(draw.below(3));
  if (config.loss == Loss::softmax_ce) {
    config.widths.back() = std::max<std::size_t>(config.widths.back(), 2);
  }
  config.init = draw.one_in(2) ? Init::he : Init::xavier;
  config.seed = draw.word();
  config.max_batch = 1 + draw.below(draw.one_in(5) ? 140 : 40);
  config.record = draw.one_in(2);
  config.keep_gradients = draw.one_in(2);
  config.num_threads = 1 + static_cast<int>(draw.below(3));
  return config;
}

// A scale of 2^33 leaves nothing to compare: each keep_prob is one that a network may train with,
// or one that keeps none or all.
void make_trainable(MlpConfig& config) {
  const auto trainable = [](double p) { return p == 0.0 || p >= 0x1p-9 ? p : .5; };
  config.input_keep_prob = trainable(config.input_keep_prob);
  for (double& p : config.keep_prob) p = trainable(p);
}

double keep_prob_of(const MlpConfig& config, std::size_t layer) {
  return layer == 0 ? config.input_keep_prob : config.keep_prob[layer - 1];
}

// Of the bits that somebody else gave for a layer, or drawn: see mlp.hpp.
class Masks {
 public:
  explicit Masks(const MlpConfig& config) : config_(config), injected_(config.widths.size() - 1) {}

  // The groups that rows may touch; each row of its own is one too.
  [[nodiscard]] std::size_t groups(std::size_t rows) const {
    if (config_.dropout_unit == DropoutUnit::element) return rows;
    const std::size_t group = config_.dropout_group;
    return group == 0 ? 1 : 1 + (rows - 1 + group - 1) / group;
  }
  void inject(Draw& draw, Mlp& mlp, std::size_t layer) {
    auto& bits = injected_[layer];
    bits.resize((groups(config_.max_batch) * config_.widths[layer] + 7) / 8);
    for (std::uint8_t& byte : bits) byte = static_cast<std::uint8_t>(draw.word());
    mlp.inject_mask(layer, bits);
  }
  // For each row and unit of each layer.
  [[nodiscard]] reference::Masks of(std::uint64_t step, std::uint64_t first_row,
                                    std::size_t rows) const {
    reference::Masks masks;
    for (std::size_t l = 0; l < injected_.size(); ++l) {
      masks.emplace_back();
      for (std::size_t r = 0; r < rows; ++r) append_row(masks.back(), l, step, first_row, r);
    }
    return masks;
  }

 private:
  void append_row(std::vector<bool>& all, std::size_t l, std::uint64_t step,
                  std::uint64_t first_row, std::size_t r) const {
    const std::size_t width = config_.widths[l];
    std::uint64_t line = first_row + r;  // of masks in the stream
    std::size_t place = r;               // of those that were given
    if (config_.dropout_unit == DropoutUnit::neuron) {
      const std::size_t group = config_.dropout_group;
      line = group == 0 ? 0 : line / group;
      place = group == 0 ? 0 : static_cast<std::size_t>(line - first_row / group);
    }
    if (!injected_[l].empty()) {
      const bool all_dropped = keep_prob_of(config_, l) == 0.0;
      for (std::size_t c = 0; c < width; ++c) {
        all.push_back(!all_dropped && random_case::bit(injected_[l], place * width + c));
      }
      return;
    }
    reference::MaskSpec spec;
    spec.seed = config_.seed;
    spec.stream = std::uint64_t{1} << 56 | static_cast<std::uint64_t>(l) << 40 | step;
    spec.first = line * width;
    spec.keep_prob = keep_prob_of(config_, l);
    const auto bits = reference::mask(spec, width);
    for (std::size_t c = 0; c < width; ++c) all.push_back(random_case::bit(bits, c));
  }

  const MlpConfig& config_;
  std::vector<std::vector<std::uint8_t>> injected_;
};

// Each element within its bound; only of kept units, if `kept` is given.
void check_close(ConstMatrix got, const reference::Tensor& want, const std::string& what,
                 const std::vector<bool>* kept = nullptr) {
  INFO(what);
  REQUIRE(got.rows == want.rows);
  REQUIRE(got.cols == want.cols);
  std::size_t wrong = 0;
  for (std::size_t r = 0; r < got.rows; ++r) {
    for (std::size_t c = 0; c < got.cols; ++c) {
      if (kept != nullptr && !(*kept)[r * got.cols + c]) continue;
      const auto& w = want(r, c);
      if (std::abs(static_cast<double>(got(r, c)) - w.value) <= w.bound) continue;
      if (wrong++ == 0) {
        CHECK_MESSAGE(false, "(", r, ", ", c, ") is ", got(r, c), ", not ", w.value, " +- ",
                      w.bound);
      }
    }
  }
  CHECK(wrong == 0);
}

void check_gradients(const Mlp& mlp, const reference::Pass& want) {
  for (std::size_t l = 1; l <= mlp.num_layers(); ++l) {
    check_close(mlp.dw(l), want.dw[l], "dw " + std::to_string(l));
    check_close(mlp.db(l), want.db[l], "db " + std::to_string(l));
  }
}

void check_recorded(const Mlp& mlp, const reference::Pass& want, const reference::Masks& masks) {
  check_close(mlp.a(0), want.a[0], "a 0");
  for (std::size_t l = 1; l <= mlp.num_layers(); ++l) {
    const std::string layer = " " + std::to_string(l);
    const bool hidden = l < mlp.num_layers();
    const bool neuron = mlp.config().dropout_unit == DropoutUnit::neuron;
    check_close(mlp.z(l), want.z[l], "z" + layer, hidden && neuron ? &masks[l] : nullptr);
    check_close(mlp.a(l), want.a[l], "a" + layer);
    check_close(mlp.dz(l), want.dz[l], "dz" + layer);
    if (hidden) check_close(mlp.da(l), want.da[l], "da" + layer);
  }
}

// The parameters of a network and what optimisers make of them.
struct Oracle {
  Oracle(const Mlp& mlp, const OptimizerConfig& config) {
    for (std::size_t l = 1; l <= mlp.num_layers(); ++l) {
      weights.emplace_back(fixture::hyperparameters(config, mlp.weights(l).cols),
                           mlp.weights(l).size());
      bias.emplace_back(fixture::hyperparameters(config), mlp.bias(l).size());
    }
  }
  std::vector<reference::ReferenceOptimizer> weights, bias;
};

// What a step with these gradients makes of `before`; `kept`: the units that lazy updates touch.
void check_update(const Mlp& mlp, const reference::Network& before, const reference::Pass& pass,
                  const reference::Masks* kept, Oracle& oracle) {
  for (std::size_t l = 1; l <= mlp.num_layers(); ++l) {
    const std::size_t ins = mlp.weights(l).cols, outs = mlp.weights(l).rows;
    std::vector<bool> touched, touched_bias;
    const auto keeps = [&](std::size_t layer, std::size_t unit) {
      return layer == mlp.num_layers() || (*kept)[layer][unit];
    };
    for (std::size_t o = 0; kept != nullptr && o < outs; ++o) {
      touched_bias.push_back(keeps(l, o));
      for (std::size_t i = 0; i < ins; ++i) touched.push_back(keeps(l, o) && keeps(l - 1, i));
    }
    reference::Tensor w = before.weights[l], b = before.bias[l];
    oracle.weights[l - 1].step(w.values, pass.dw[l].values, touched);
    oracle.bias[l - 1].step(b.values, pass.db[l].values, touched_bias);
    check_close(mlp.weights(l), w, "weights " + std::to_string(l));
    check_close(mlp.bias(l), b, "bias " + std::to_string(l));
  }
}

// Whether a float holds the square of each gradient, which Adam takes.
bool squares_are_finite(const reference::Pass& pass) {
  constexpr double most = 0x1p63;
  const auto small = [](const reference::Tensor& gradient) {
    return std::ranges::all_of(gradient.values, [](auto g) { return g.magnitude() < most; });
  };
  return std::ranges::all_of(pass.dw, small) && std::ranges::all_of(pass.db, small);
}

// A first row that the groups of a batch may have.
std::uint64_t any_first_row(Draw& draw, const MlpConfig& config, std::size_t rows) {
  const std::uint64_t first = draw.position();
  const bool counted = config.dropout_unit == DropoutUnit::neuron && config.dropout_group != 0;
  return counted ? std::min(first, ~std::uint64_t{0} - rows) : first;
}

void check_forward_and_backward(Draw& draw, Mlp& mlp, const Masks& masks) {
  const MlpConfig& config = mlp.config();
  const std::size_t rows = 1 + draw.below(config.max_batch);
  const auto batch = fixture::make_batch(config, rows, static_cast<std::uint32_t>(draw.word()));
  const std::uint64_t step = draw.word() >> 24, first_row = any_first_row(draw, config, rows);
  CAPTURE(rows);
  CAPTURE(step);
  CAPTURE(first_row);
  const auto kept = masks.of(step, first_row, rows);
  const auto want = fixture::oracle_pass(mlp, batch, kept);
  check_close(mlp.forward(batch.inputs(), step, first_row, draw.threads()), want.a.back(),
              "output");
  const double loss = mlp.backward(batch.targets(), draw.threads());
  CHECK(std::abs(loss - want.loss.value) <= want.loss.bound);
  check_gradients(mlp, want);
  if (config.record) check_recorded(mlp, want, kept);
}

void check_training(Draw& draw, Mlp& mlp, const Masks& masks) {
  const MlpConfig& config = mlp.config();
  const OptimizerConfig optimizer_config = random_case::any_optimizer(draw);
  CAPTURE(static_cast<int>(optimizer_config.kind));
  CAPTURE(optimizer_config.momentum);
  CAPTURE(optimizer_config.weight_decay);
  CAPTURE(optimizer_config.beta1);
  CAPTURE(optimizer_config.beta2);
  CAPTURE(optimizer_config.epsilon);
  CAPTURE(optimizer_config.max_norm);
  Optimizer optimizer(optimizer_config, mlp);
  Oracle oracle(mlp, optimizer_config);
  const std::size_t steps = 1 + draw.below(3);
  for (std::uint64_t step = 1; step <= steps; ++step) {
    CAPTURE(step);
    const std::size_t rows = 1 + draw.below(config.max_batch);
    const auto batch = fixture::make_batch(config, rows, static_cast<std::uint32_t>(draw.word()));
    const std::uint64_t first_row = any_first_row(draw, config, rows);
    const auto kept = masks.of(optimizer.step_count(), first_row, rows);
    const auto before = fixture::network_of(mlp);
    const auto want = fixture::oracle_pass(mlp, batch, kept);
    const double loss =
        mlp.train_step(batch.inputs(), batch.targets(), optimizer, first_row, draw.threads());
    CHECK(std::abs(loss - want.loss.value) <= want.loss.bound);
    if (config.record || config.keep_gradients) check_gradients(mlp, want);
    if (!squares_are_finite(want)) return;
    check_update(mlp, before, want, config.lazy_updates ? &kept : nullptr, oracle);
    if (draw.one_in(3)) {
      const double rate = draw.between(0.0, .1);
      optimizer.set_learning_rate(rate);
      for (auto* list : {&oracle.weights, &oracle.bias}) {
        for (auto& one : *list) one.set_learning_rate(rate);
      }
    }
  }
}

reference::Network without_dropout(reference::Network network) {
  std::ranges::fill(network.keep_prob, 1.0);
  return network;
}

void check_prediction(Draw& draw, Mlp& mlp) {
  const std::size_t rows = draw.below(90);
  const auto batch =
      fixture::make_batch(mlp.config(), rows, static_cast<std::uint32_t>(draw.word()));
  const auto masks = fixture::keep_everything(mlp.config(), rows);
  const auto network = without_dropout(fixture::network_of(mlp));
  const auto want = reference::forward(network, fixture::tensor_of(batch.inputs()), masks);
  std::vector<float> out(rows * batch.outputs), again(out.size());
  mlp.predict(batch.inputs(), {out.data(), rows, batch.outputs}, draw.threads());
  check_close({out.data(), rows, batch.outputs}, want.a.back(), "prediction");
  Predictor predictor(mlp, mlp.config().max_batch);
  predictor.predict(batch.inputs(), {again.data(), rows, batch.outputs}, draw.threads());
  CHECK(fixture::same_bits(out, again));
}

// The masks of one sample: each row has its own, whatever the unit.
reference::Masks sample_masks(const MlpConfig& config, std::uint64_t sample,
                              std::uint64_t first_row, std::size_t rows) {
  reference::Masks masks;
  for (std::size_t l = 0; l + 1 < config.widths.size(); ++l) {
    reference::MaskSpec spec;
    spec.seed = config.seed;
    spec.stream = std::uint64_t{3} << 56 | static_cast<std::uint64_t>(l) << 40 | sample;
    spec.first = first_row * config.widths[l];
    spec.keep_prob = keep_prob_of(config, l);
    const std::size_t n = rows * config.widths[l];
    const auto bits = reference::mask(spec, n);
    masks.emplace_back();
    for (std::size_t i = 0; i < n; ++i) masks.back().push_back(random_case::bit(bits, i));
  }
  return masks;
}

// Mean and unbiased variance of samples, each of which is off by its bound at most.
void check_moments(const std::vector<reference::Tensor>& samples, ConstMatrix mean,
                   ConstMatrix variance) {
  const auto n = static_cast<double>(samples.size());
  reference::Tensor want_mean(mean.rows, mean.cols), want_variance(mean.rows, mean.cols);
  for (std::size_t i = 0; i < want_mean.values.size(); ++i) {
    double sum = 0.0, off = 0.0, squares = 0.0, squares_off = 0.0;
    for (const auto& s : samples) sum += s.values[i].value, off += s.values[i].bound;
    for (const auto& s : samples) {
      const double deviation = std::abs(s.values[i].value - sum / n);
      const double error = s.values[i].bound + off / n;
      squares += deviation * deviation;
      squares_off += error * (2.0 * deviation + error);
    }
    const double divisor = std::max(1.0, n - 1.0);
    want_mean.values[i] = reference::rounded(sum / n, off / n);
    want_variance.values[i] = reference::rounded(squares / divisor, squares_off / divisor);
  }
  check_close(mean, want_mean, "mean");
  check_close(variance, want_variance, "variance");
}

void check_monte_carlo(Draw& draw, Mlp& mlp) {
  const MlpConfig& config = mlp.config();
  const std::size_t rows = draw.below(12), samples = 1 + draw.below(5);
  const std::uint64_t first_sample =
      draw.one_in(3) ? (std::uint64_t{1} << 40) - samples : draw.below(1000);
  const std::uint64_t first_row = draw.position();
  CAPTURE(rows);
  CAPTURE(samples);
  CAPTURE(first_row);
  const auto batch = fixture::make_batch(config, rows, static_cast<std::uint32_t>(draw.word()));
  const auto network = fixture::network_of(mlp);
  std::vector<reference::Tensor> each;
  for (std::size_t s = 0; s < samples; ++s) {
    const auto masks = sample_masks(config, first_sample + s, first_row, rows);
    each.push_back(reference::forward(network, fixture::tensor_of(batch.inputs()), masks).a.back());
  }
  std::vector<float> mean(rows * batch.outputs), variance(mean.size());
  const Matrix mean_view{mean.data(), rows, batch.outputs};
  const Matrix variance_view{variance.data(), rows, batch.outputs};
  mlp.predict_monte_carlo(batch.inputs(), samples, mean_view, variance_view, first_sample,
                          first_row, draw.threads());
  check_moments(each, mean_view, variance_view);
}

void check_network(Draw& draw) {
  MlpConfig config = any_config(draw);
  make_trainable(config);
  const std::string network = fixture::describe(config);
  CAPTURE(network);
  CAPTURE(static_cast<int>(config.dropout_unit));
  CAPTURE(config.dropout_group);
  CAPTURE(config.max_batch);
  Mlp mlp(config);
  fixture::randomise(mlp, static_cast<std::uint32_t>(draw.word()));
  if (draw.one_in(4)) {
    const std::size_t layer = draw.below(config.widths.size() - 1);
    const double keep_prob = draw.between(.2, 1.0);
    mlp.set_keep_prob(layer, keep_prob);
    (layer == 0 ? config.input_keep_prob : config.keep_prob[layer - 1]) = keep_prob;
  }
  Masks masks(config);
  if (draw.one_in(4)) masks.inject(draw, mlp, draw.below(config.widths.size() - 1));
  if (draw.one_in(4)) mlp = mlp.clone();
  for (std::size_t calls = 1 + draw.below(3); calls > 0; --calls) {
    switch (draw.below(5)) {
      case 0:
        check_forward_and_backward(draw, mlp, masks);
        break;
      case 1:
      case 2:
        check_training(draw, mlp, masks);
        break;
      case 3:
        check_prediction(draw, mlp);
        break;
      default:
        check_monte_carlo(draw, mlp);
        break;
    }
  }
}

}  // namespace

TEST_CASE("random: networks") {
  random_case::for_each_case(1200, [](Draw& draw) { check_network(draw); });
}
