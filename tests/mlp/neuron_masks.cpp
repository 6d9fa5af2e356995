// Which units DropoutUnit::neuron keeps: those of the documented streams, one mask for all rows.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "helpers/mlp_fixtures.h"
#include "helpers/unit_masks.h"

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
