// Which units DropoutUnit::neuron keeps: those of the documented streams, one mask for all rows;
// and layers of which it keeps nothing.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "linear_compare.h"
#include "mlp_fixtures.h"
#include "unit_masks.h"

namespace {

using namespace simdrop;

MlpConfig config_with_seed(std::uint64_t seed) {
  auto config = fixture::make_config({5, 33, 300, 3}, Loss::softmax_ce, {0.9, 0.5, 0.86}, 24);
  config.seed = seed;
  config.dropout_unit = DropoutUnit::neuron;
  return config;
}

// As many bytes as units need, and no bits behind them.
void check_sizes(const Mlp& mlp) {
  for (std::size_t l = 0; l < mlp.num_layers(); ++l) {
    const std::size_t width = mlp.config().widths[l];
    REQUIRE(mlp.mask(l).size() == mask_bytes(width));
    for (std::size_t i = width; i < 8 * mask_bytes(width); ++i) {
      CHECK_FALSE(mask_bit(mlp.mask(l), i));
    }
  }
}

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

TEST_CASE("mlp neuron: masks are those of the documented streams, whatever the rows") {
  Mlp mlp(config_with_seed(0x0123456789abcdefU));
  const auto batch = fixture::make_batch(mlp.config(), 24, 1);
  for (const std::uint64_t step :
       {std::uint64_t{0}, std::uint64_t{1}, (std::uint64_t{1} << 40) - 1}) {
    const auto want = fixture::drawn_unit_masks(mlp.config(), step);
    for (const std::uint64_t first_row : {std::uint64_t{0}, std::uint64_t{13}}) {
      for (const std::size_t rows : {std::size_t{24}, std::size_t{1}, std::size_t{7}}) {
        mlp.forward(batch.slice(0, rows).inputs(), step, first_row);
        CHECK(fixture::recorded_unit_masks(mlp) == want);
        check_sizes(mlp);
      }
    }
  }
}

TEST_CASE("mlp neuron: a step drops what the mask of its step says, and the mask is read too") {
  Mlp mlp(config_with_seed(77));
  fixture::randomise(mlp, 3);
  Optimizer optimizer({.learning_rate = 0.01}, mlp.parameter_sizes());
  const auto batch = fixture::make_batch(mlp.config(), 24, 1);
  fixture::UnitMasks before;
  for (std::uint64_t step = 0; step < 4; ++step) {
    mlp.train_step(batch.inputs(), batch.targets(), optimizer, 48 * step);
    const auto kept = fixture::recorded_unit_masks(mlp);
    CHECK(kept == fixture::drawn_unit_masks(mlp.config(), step));
    CHECK(kept != before);
    before = kept;
    for (std::size_t l = 0; l < mlp.num_layers(); ++l) {
      for (std::size_t u = 0; u < kept[l].size(); ++u) {
        float sum = 0.0F;
        for (std::size_t r = 0; r < 24; ++r) sum += std::abs(mlp.a(l)(r, u));
        if (!kept[l][u]) CHECK(sum == 0.0F);
        if (kept[l][u] && l == 0) CHECK(sum > 0.0F);
      }
    }
  }
}

TEST_CASE("mlp neuron: a batch split over calls is the whole batch") {
  auto config = config_with_seed(6);
  for (const bool record : {true, false}) {
    config.record = record;
    Mlp mlp(config);
    fixture::randomise(mlp, 3);
    const auto batch = fixture::make_batch(config, 24, 1);
    const auto whole = fixture::copy_of(mlp.forward(batch.inputs(), 9, 100));
    for (const std::size_t part : {std::size_t{1}, std::size_t{5}, std::size_t{8}}) {
      std::vector<float> joined;
      for (std::size_t first = 0; first < 24; first += part) {
        const auto slice = batch.slice(first, std::min(part, 24 - first));
        const auto out = fixture::copy_of(mlp.forward(slice.inputs(), 9, 100 + first));
        joined.insert(joined.end(), out.begin(), out.end());
      }
      CHECK(fixture::same_bits(joined, whole));
    }
  }
}

TEST_CASE("mlp neuron: injected masks hold until they are taken back") {
  Mlp mlp(config_with_seed(4));
  const auto batch = fixture::make_batch(mlp.config(), 24, 1);
  auto kept = fixture::random_unit_masks(mlp.config(), 0.5, 3);
  fixture::inject_units(mlp, kept);
  for (std::uint64_t step = 0; step < 3; ++step) {
    mlp.forward(batch.inputs(), step, 10 * step);
    CHECK(fixture::recorded_unit_masks(mlp) == kept);
  }
  kept[1].clear();
  fixture::inject_units(mlp, kept);
  mlp.forward(batch.inputs(), 5);
  kept[1] = fixture::drawn_unit_masks(mlp.config(), 5)[1];
  CHECK(fixture::recorded_unit_masks(mlp) == kept);
  // Bits behind those of the units say nothing.
  for (std::size_t l = 0; l < 3; ++l) {
    mlp.inject_mask(l, std::vector<std::uint8_t>(mask_bytes(mlp.config().widths[l]), 0xFF));
  }
  mlp.forward(batch.inputs(), 5);
  check_sizes(mlp);
  CHECK(fixture::recorded_unit_masks(mlp) == fixture::keep_all_units(mlp.config()));
}

TEST_CASE("mlp neuron: set_keep_prob counts from the next forward on, to 1 and back") {
  Mlp mlp(config_with_seed(4));
  fixture::randomise(mlp, 3);
  auto untouched_config = config_with_seed(4);
  untouched_config.record = false;
  Mlp untouched(untouched_config);
  fixture::randomise(untouched, 3);
  const auto batch = fixture::make_batch(mlp.config(), 24, 1);
  const auto first = fixture::copy_of(mlp.forward(batch.inputs(), 2));
  for (std::size_t l = 0; l <= 2; ++l) {
    const double original = l == 0 ? 0.9 : mlp.config().keep_prob[l - 1];
    for (const double keep_prob : {1.0, 0.3, 0.0, 1.0, original}) {
      for (Mlp* m : {&mlp, &untouched}) m->set_keep_prob(l, keep_prob);
      const auto recorded = fixture::copy_of(mlp.forward(batch.inputs(), 2));
      const auto kept = fixture::drawn_unit_masks(mlp.config(), 2);
      CHECK(fixture::recorded_unit_masks(mlp) == kept);
      CHECK(fixture::same_bits(fixture::copy_of(untouched.forward(batch.inputs(), 2)), recorded));
      const auto want = fixture::oracle_pass(mlp, batch, fixture::in_every_row(kept, 24));
      fixture::check_close(mlp.a(3), want.a[3], "a(3)");
    }
  }
  CHECK(fixture::same_bits(fixture::copy_of(mlp.forward(batch.inputs(), 2)), first));
}

TEST_CASE("mlp neuron: injected bits under keep_prob 0 are shown, and keep nothing") {
  Mlp mlp(config_with_seed(4));
  const auto batch = fixture::make_batch(mlp.config(), 24, 1);
  const auto kept = fixture::random_unit_masks(mlp.config(), 0.5, 3);
  fixture::inject_units(mlp, kept);
  mlp.set_keep_prob(1, 0.0);
  mlp.forward(batch.inputs(), 0);
  CHECK(fixture::recorded_unit_masks(mlp) == kept);
  CHECK(all_plus_zero(mlp.a(1)));
  CHECK_FALSE(all_zero(mlp.a(0)));
}

TEST_CASE("mlp neuron: a layer of which nothing is kept passes on zeros") {
  for (const std::vector<std::size_t>& layers :
       std::vector<std::vector<std::size_t>>{{0}, {1}, {2}, {3}, {1, 2}, {0, 3}, {0, 1, 2, 3}}) {
    for (const bool by_keep_prob : {false, true}) {
      for (const bool lazy : {false, true}) {
        const EmptyLayers empty{layers, by_keep_prob};
        const auto want = check_empty(empty, false, lazy, 1);
        CHECK(fixture::same_bits(check_empty(empty, true, lazy, 1), want));
        CHECK(fixture::same_bits(check_empty(empty, false, lazy, 2), want));
        CHECK(fixture::same_bits(check_empty(empty, true, lazy, 2), want));
      }
    }
  }
}
