// DropoutUnit::neuron against DropoutUnit::element under the same masks, against the textbook, and
// where dropout plays no part.
//
// A step on kept units computes what a step on all of them does where all rows have the same mask,
// bit for bit as long as everything is finite: an element of a product is one chain of sums in
// order from +0, and the terms that are left out would each have added a product with 0. That
// leaves a sum as it is, but for its sign if it is -0 (x + 0 = x, and -0 + 0 = +0), so numbers are
// compared by ==.
#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

#include "helpers/linear_compare.h"
#include "helpers/mlp_fixtures.h"
#include "helpers/test_sizes.h"
#include "helpers/unit_masks.h"

namespace {

using namespace simdrop;

struct Outcome {
  std::vector<float> parameters, gradients, output;
  std::vector<double> losses;
};

// `steps` steps, each under masks of its own. In two of three steps a layer keeps all: by its mask,
// or with keep_prob 1 and no mask.
Outcome train(const MlpConfig& config, const OptimizerConfig& optimizer_config, int steps) {
  Mlp mlp(config);
  Optimizer optimizer(optimizer_config, mlp.parameter_sizes());
  fixture::randomise(mlp, 3);
  Outcome out;
  for (int step = 0; step < steps; ++step) {
    const auto seed = static_cast<std::uint32_t>(step);
    auto kept = fixture::random_unit_masks(config, 0.6, seed);
    const std::size_t l = seed / 3 % kept.size();
    if (step % 3 == 1) kept[l].assign(config.widths[l], true);
    if (step % 3 == 2) kept[l].clear();
    mlp.set_keep_prob(l, step % 3 == 2 ? 1.0 : 0.6);
    fixture::inject_units(mlp, kept);
    const std::size_t rows = step % 4 == 2 ? config.max_batch / 2 + 1 : config.max_batch;
    const auto batch = fixture::make_batch(config, rows, 5 * seed);
    out.losses.push_back(mlp.train_step(batch.inputs(), batch.targets(), optimizer, 7));
    REQUIRE(std::isfinite(out.losses.back()));
  }
  out.parameters = fixture::parameters(mlp);
  if (config.keep_gradients || config.record) out.gradients = fixture::gradients(mlp);
  out.output = fixture::copy_of(mlp.a(mlp.num_layers()));
  return out;
}

void check_same_training(const MlpConfig& config, const OptimizerConfig& optimizer, int steps) {
  const std::string network = fixture::describe(config);
  INFO(network, ", batch ", config.max_batch, ", record ", config.record, ", keep_gradients ",
       config.keep_gradients, ", optimiser ", static_cast<int>(optimizer.kind), ", max_norm ",
       optimizer.max_norm);
  const auto element = train(fixture::with_unit(config, DropoutUnit::element), optimizer, steps);
  const auto neuron = train(fixture::with_unit(config, DropoutUnit::neuron), optimizer, steps);
  CHECK(neuron.parameters == element.parameters);
  CHECK(neuron.gradients == element.gradients);
  CHECK(neuron.output == element.output);
  CHECK(neuron.losses == element.losses);
}

const OptimizerConfig optimizers[] = {
    {.learning_rate = 0.05},
    {.learning_rate = 0.05, .momentum = 0.9, .weight_decay = 0.02},
    {.learning_rate = 0.02, .momentum = 0.9, .nesterov = true, .max_norm = 0.9},
    {.kind = OptimizerKind::adam, .learning_rate = 0.01},
    {.kind = OptimizerKind::adam, .learning_rate = 0.01, .weight_decay = 0.02, .max_norm = 0.8},
    {.kind = OptimizerKind::adamw, .learning_rate = 0.01, .weight_decay = 0.01}};

MlpConfig config_of(const std::vector<std::size_t>& widths, Loss loss, std::size_t rows) {
  std::vector<double> keep_probs(widths.size() - 1, 0.6);
  keep_probs[0] = 0.8;
  auto config = fixture::make_config(widths, loss, keep_probs, rows);
  config.record = false;
  return config;
}

bool kept_in(const fixture::UnitMasks& kept, std::size_t layer, std::size_t unit) {
  return layer >= kept.size() || kept[layer][unit];
}

// The oracle computes what is dropped, too.
reference::Tensor without_dropped(reference::Tensor z, const fixture::UnitMasks& kept,
                                  std::size_t layer) {
  for (std::size_t i = 0; i < z.values.size(); ++i) {
    if (!kept_in(kept, layer, i % z.cols)) z.values[i] = {};
  }
  return z;
}

void check_dropped(ConstMatrix m, const fixture::UnitMasks& kept, std::size_t layer) {
  std::size_t wrong = 0;
  for (std::size_t r = 0; r < m.rows; ++r) {
    for (std::size_t c = 0; c < m.cols; ++c) {
      wrong += kept_in(kept, layer, c) || test::is_plus_zero(m(r, c)) ? 0 : 1;
    }
  }
  CHECK(wrong == 0);
}

void check_intermediates(const Mlp& mlp, const reference::Pass& want,
                         const fixture::UnitMasks& kept) {
  fixture::check_close(mlp.a(0), want.a[0], "a(0)");
  check_dropped(mlp.a(0), kept, 0);
  for (std::size_t l = 1; l <= mlp.num_layers(); ++l) {
    const std::string layer = " of layer " + std::to_string(l);
    fixture::check_close(mlp.z(l), without_dropped(want.z[l], kept, l), "z" + layer);
    fixture::check_close(mlp.a(l), want.a[l], "a" + layer);
    fixture::check_close(mlp.dz(l), want.dz[l], "dz" + layer);
    fixture::check_close(mlp.dw(l), want.dw[l], "dw" + layer);
    fixture::check_close(mlp.db(l), want.db[l], "db" + layer);
    for (const auto& m : {mlp.z(l), mlp.a(l), mlp.dz(l)}) check_dropped(m, kept, l);
    if (l == mlp.num_layers()) continue;
    fixture::check_close(mlp.da(l), want.da[l], "da" + layer);
    check_dropped(mlp.da(l), kept, l);
  }
}

void check_textbook(const std::vector<std::size_t>& widths, Loss loss, std::size_t rows) {
  std::vector<double> keep_probs{0.9, 0.5, 0.7, 0.8};
  keep_probs.resize(widths.size() - 1);
  auto config = fixture::make_config(widths, loss, keep_probs, rows + 3);
  Mlp mlp(fixture::with_unit(config, DropoutUnit::neuron));
  const std::string network = fixture::describe(config);
  INFO(network, ", rows ", rows);
  fixture::randomise(mlp, 11);
  const auto kept = fixture::random_unit_masks(config, 0.7, 4);
  fixture::inject_units(mlp, kept);
  const auto batch = fixture::make_batch(config, rows, 37);
  const auto want = fixture::oracle_pass(mlp, batch, fixture::in_every_row(kept, rows));
  REQUIRE(want.ambiguous_gates == 0);
  mlp.forward(batch.inputs(), 0);
  const double loss_of_batch = mlp.backward(batch.targets());
  CHECK(std::abs(loss_of_batch - want.loss.value) <= want.loss.bound);
  check_intermediates(mlp, want, kept);
}

struct Predictions {
  std::vector<float> few, many, mean, variance;
};

Predictions predictions_of(Mlp& mlp, const fixture::Batch& batch) {
  const std::size_t n = batch.rows * batch.outputs;
  Predictions out{std::vector<float>(n), std::vector<float>(n), std::vector<float>(n),
                  std::vector<float>(n)};
  const auto in = [&](std::vector<float>& to) {
    return Matrix(to.data(), batch.rows, batch.outputs);
  };
  mlp.predict(batch.inputs(), in(out.many));
  const auto part = batch.slice(0, 5);
  mlp.predict(part.inputs(), {out.few.data(), 5, batch.outputs});
  mlp.predict_monte_carlo(batch.inputs(), 6, in(out.mean), in(out.variance), 3, 11);
  return out;
}

}  // namespace

TEST_CASE("mlp neuron: 20 steps are those of element masks that repeat in every row") {
  std::size_t index = 0;
  const std::size_t stride = test::case_stride();
  for (const OptimizerConfig& optimizer : optimizers) {
    for (const std::size_t rows : {std::size_t{1}, std::size_t{7}, std::size_t{65}}) {
      const MlpConfig configs[] = {config_of({3, 17, 33, 3}, Loss::sigmoid_bce, rows),
                                   config_of({20, 100, 1, 17}, Loss::identity_mse, rows),
                                   config_of({33, 100, 17, 40, 10}, Loss::softmax_ce, rows),
                                   config_of({45, 4}, Loss::softmax_ce, rows)};
      for (MlpConfig config : configs) {
        config.keep_gradients = index % 3 == 1;
        config.record = index % 3 == 2;
        if (index++ % stride == 0) check_same_training(config, optimizer, 20);
      }
    }
  }
}

TEST_CASE("mlp neuron: so are those of layers that products work on in blocks") {
  const int steps = test::case_stride() > 3 ? 2 : 20;
  check_same_training(config_of({257, 1300, 129, 10}, Loss::softmax_ce, 40), optimizers[1], steps);
  check_same_training(config_of({700, 690, 10}, Loss::identity_mse, 33), optimizers[4], steps);
}

TEST_CASE("mlp neuron: a pass equals the textbook's, number by number") {
  for (const Loss loss : fixture::all_losses) {
    check_textbook({7, 5, 3}, loss, 1);
    check_textbook({13, 33, 18, 4}, loss, 7);
    check_textbook({33, 40, 21, 10}, loss, 19);
  }
}

TEST_CASE("mlp neuron: recording changes no result") {
  for (const OptimizerConfig& optimizer : {optimizers[1], optimizers[4]}) {
    for (const bool lazy : {false, true}) {
      auto config = fixture::with_unit(config_of({33, 100, 17, 3}, Loss::softmax_ce, 29),
                                       DropoutUnit::neuron);
      config.lazy_updates = lazy;
      config.keep_gradients = true;
      const auto plain = train(config, optimizer, 8);
      config.record = true;
      const auto recorded = train(config, optimizer, 8);
      CHECK(fixture::same_bits(recorded.parameters, plain.parameters));
      CHECK(fixture::same_bits(recorded.gradients, plain.gradients));
      CHECK(fixture::same_bits(recorded.output, plain.output));
      CHECK(recorded.losses == plain.losses);
    }
  }
}

TEST_CASE("mlp neuron: inference knows no unit of dropout, and leaves a forward as it was") {
  const auto config = config_of({33, 100, 17, 3}, Loss::softmax_ce, 24);
  const auto batch = fixture::make_batch(config, 60, 3);
  const auto train_batch = batch.slice(9, 24);
  Mlp element(fixture::with_unit(config, DropoutUnit::element));
  Mlp neuron(fixture::with_unit(config, DropoutUnit::neuron));
  Mlp undisturbed(fixture::with_unit(config, DropoutUnit::neuron));
  for (Mlp* mlp : {&element, &neuron, &undisturbed}) fixture::randomise(*mlp, 3);
  neuron.forward(train_batch.inputs(), 1);
  const auto want = predictions_of(element, batch);
  const auto got = predictions_of(neuron, batch);
  CHECK(fixture::same_bits(got.few, want.few));
  CHECK(fixture::same_bits(got.many, want.many));
  CHECK(fixture::same_bits(got.mean, want.mean));
  CHECK(fixture::same_bits(got.variance, want.variance));
  CHECK(got.variance != std::vector<float>(got.variance.size()));

  undisturbed.forward(train_batch.inputs(), 1);
  CHECK(neuron.backward(train_batch.targets()) == undisturbed.backward(train_batch.targets()));
  CHECK(fixture::same_bits(fixture::gradients(neuron), fixture::gradients(undisturbed)));
}
