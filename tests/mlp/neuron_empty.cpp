// DropoutUnit::neuron: layers of which nothing is kept.
#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "helpers/linear_compare.h"
#include "helpers/mlp_fixtures.h"
#include "helpers/test_sizes.h"
#include "helpers/unit_masks.h"

namespace {

using namespace simdrop;

bool all_zero(ConstMatrix m) {
  for (const float x : fixture::copy_of(m)) {
    if (x != 0.0F) return false;
  }
  return true;
}
bool all_plus_zero(ConstMatrix m) {
  for (const float x : fixture::copy_of(m)) {
    if (!test::is_plus_zero(x)) return false;
  }
  return true;
}

// A network some layers of which keep nothing, by keep_prob or by the bits.
struct EmptyLayers {
  std::vector<std::size_t> layers;
  bool by_keep_prob;
};

bool is_empty(const EmptyLayers& empty, std::size_t layer) {
  return std::ranges::find(empty.layers, layer) != empty.layers.end();
}

MlpConfig config_of(const EmptyLayers& empty, bool record, bool lazy, int threads) {
  std::vector<double> keep_probs{0.8, 0.5, 0.7, 0.6};
  for (const std::size_t l : empty.layers) {
    if (empty.by_keep_prob) keep_probs[l] = 0.0;
  }
  auto config = fixture::make_config({70, 130, 65, 33, 4}, Loss::identity_mse, keep_probs, 90);
  config.dropout_unit = DropoutUnit::neuron;
  config.record = record;
  config.keep_gradients = true;
  config.lazy_updates = lazy;
  config.num_threads = threads;
  config.seed = 9;
  return config;
}

Mlp network_of(const MlpConfig& config, const EmptyLayers& empty) {
  Mlp mlp(config);
  fixture::randomise(mlp, 3);
  for (const std::size_t l : empty.layers) {
    if (empty.by_keep_prob) continue;
    mlp.inject_mask(l, std::vector<std::uint8_t>(mask_bytes(config.widths[l])));
  }
  return mlp;
}

// What is fed by an empty layer alone, and what feeds one.
void check_gradients(const Mlp& mlp, const EmptyLayers& empty) {
  bool feeds_one = false;
  for (std::size_t l = mlp.num_layers(); l >= 1; --l) {
    feeds_one = feeds_one || is_empty(empty, l);
    const bool fed_by_one = is_empty(empty, l - 1);
    CHECK(all_zero(mlp.dw(l)) == (feeds_one || fed_by_one));
    CHECK(all_zero(mlp.db(l)) == feeds_one);
  }
}

// Behind an empty layer all rows are the same, and right behind it they are the bias.
void check_outputs(const Mlp& mlp, const EmptyLayers& empty, const std::vector<float>& bias) {
  const std::size_t last = mlp.num_layers();
  const ConstMatrix a = mlp.a(last);
  std::size_t wrong = 0;
  for (std::size_t r = 0; r < a.rows; ++r) {
    for (std::size_t c = 0; c < a.cols; ++c) {
      wrong += a(r, c) == (is_empty(empty, last - 1) ? bias[c] : a(0, c)) ? 0 : 1;
    }
  }
  CHECK(wrong == 0);
  if (!mlp.config().record) return;
  for (const std::size_t l : empty.layers) {
    CHECK(all_plus_zero(mlp.a(l)));
    if (l > 0) {
      CHECK((all_plus_zero(mlp.z(l)) && all_plus_zero(mlp.da(l)) && all_plus_zero(mlp.dz(l))));
    }
  }
}

std::vector<float> output_bias(const Mlp& mlp) {
  return fixture::copy_of(mlp.bias(mlp.num_layers()));
}

// A pass by its parts, and three steps; the parameters that they leave.
std::vector<float> check_empty(const EmptyLayers& empty, bool record, bool lazy, int threads) {
  INFO("layer ", empty.layers[0], " and ", empty.layers.size() - 1, " more, by keep_prob ",
       empty.by_keep_prob, ", record ", record, ", lazy ", lazy, ", threads ", threads);
  const MlpConfig config = config_of(empty, record, lazy, threads);
  const auto batch = fixture::make_batch(config, 90, 7);
  Mlp mlp = network_of(config, empty);
  mlp.forward(batch.inputs(), 2);
  mlp.backward(batch.targets());
  check_outputs(mlp, empty, output_bias(mlp));
  check_gradients(mlp, empty);

  const auto before = fixture::parameters(mlp);
  Optimizer optimizer({.learning_rate = 0.05, .momentum = 0.9, .weight_decay = 0.1},
                      mlp.parameter_sizes());
  for (int step = 0; step < 3; ++step) {
    const auto bias = output_bias(mlp);
    mlp.train_step(batch.inputs(), batch.targets(), optimizer);
    check_outputs(mlp, empty, bias);
    check_gradients(mlp, empty);
  }
  CHECK(fixture::parameters(mlp) != before);
  return fixture::parameters(mlp);
}

}  // namespace

TEST_CASE("mlp neuron: injected bits under keep_prob 0 are shown, and keep nothing") {
  auto config = fixture::make_config({5, 33, 300, 3}, Loss::softmax_ce, {0.9, 0.5, 0.86}, 24);
  config.dropout_unit = DropoutUnit::neuron;
  config.lazy_updates = true;
  Mlp mlp(config);
  fixture::randomise(mlp, 3);
  const auto batch = fixture::make_batch(config, 24, 1);
  const auto kept = fixture::random_unit_masks(config, 0.5, 3);
  fixture::inject_units(mlp, kept);
  mlp.set_keep_prob(1, 0.0);
  mlp.forward(batch.inputs(), 0);
  CHECK(fixture::recorded_unit_masks(mlp) == kept);
  CHECK((all_plus_zero(mlp.a(1)) && all_plus_zero(mlp.z(1))));
  CHECK_FALSE(all_zero(mlp.a(0)));
  CHECK_FALSE(all_zero(mlp.a(2)));
  const auto into = fixture::copy_of(mlp.weights(1));
  const auto out_of = fixture::copy_of(mlp.weights(2));
  const auto before = fixture::parameters(mlp);
  Optimizer optimizer({.learning_rate = 0.1, .weight_decay = 0.1}, mlp.parameter_sizes());
  mlp.train_step(batch.inputs(), batch.targets(), optimizer);
  CHECK(fixture::same_bits(fixture::copy_of(mlp.weights(1)), into));
  CHECK(fixture::same_bits(fixture::copy_of(mlp.weights(2)), out_of));
  CHECK(fixture::parameters(mlp) != before);
}

TEST_CASE("mlp neuron: a layer of which nothing is kept passes on zeros") {
  std::size_t index = 0;
  const std::size_t stride = test::case_stride() > 3 ? 3 : 1;
  for (const std::vector<std::size_t>& layers :
       std::vector<std::vector<std::size_t>>{{0}, {1}, {2}, {3}, {1, 2}, {0, 3}, {0, 1, 2, 3}}) {
    for (const bool by_keep_prob : {false, true}) {
      for (const bool lazy : {false, true}) {
        if (index++ % stride != 0) continue;
        const EmptyLayers empty{layers, by_keep_prob};
        const auto want = check_empty(empty, false, lazy, 1);
        CHECK(fixture::same_bits(check_empty(empty, true, lazy, 1), want));
        CHECK(fixture::same_bits(check_empty(empty, false, lazy, 2), want));
        CHECK(fixture::same_bits(check_empty(empty, true, lazy, 2), want));
      }
    }
  }
}

// A layer with neither kept outputs nor kept inputs has no products that threads could share.
TEST_CASE("mlp neuron: empty layers of a network that keeps threads busy are stepped once") {
  for (const bool lazy : {false, true}) {
    std::vector<std::vector<float>> got;
    for (const int threads : {1, 2, 3}) {
      auto config =
          fixture::make_config({257, 300, 290, 10}, Loss::softmax_ce, {0.8, 0.0, 0.0}, 129);
      config.dropout_unit = DropoutUnit::neuron;
      config.record = false;
      config.lazy_updates = lazy;
      config.num_threads = threads;
      Mlp mlp(config);
      Optimizer optimizer({.learning_rate = 0.05, .momentum = 0.9, .weight_decay = 0.1},
                          mlp.parameter_sizes());
      const auto batch = fixture::make_batch(config, 129, 7);
      for (int step = 0; step < 3; ++step) {
        mlp.train_step(batch.inputs(), batch.targets(), optimizer);
      }
      got.push_back(fixture::parameters(mlp));
    }
    CHECK(fixture::same_bits(got[1], got[0]));
    CHECK(fixture::same_bits(got[2], got[0]));
  }
}
