// Which masks the MLP draws: those of the streams that mlp.hpp documents.
#include <doctest/doctest.h>

#include <set>
#include <vector>

#include "helpers/mlp_fixtures.h"

namespace {

using namespace simdrop;

const std::vector<double> keep_probs{0.9, 0.5, 0.86};

MlpConfig config_with_seed(std::uint64_t seed) {
  auto config = fixture::make_config({5, 33, 17, 3}, Loss::softmax_ce, keep_probs, 24);
  config.seed = seed;
  return config;
}

std::vector<bool> mask_of(const Mlp& mlp, std::size_t layer, std::size_t rows) {
  return fixture::recorded_masks(mlp, rows)[layer];
}

std::vector<bool> expected_mask(const Mlp& mlp, std::size_t layer, double keep_prob,
                                std::uint64_t step, std::uint64_t first_row, std::size_t rows) {
  const std::size_t width = mlp.config().widths[layer];
  const Dropout dropout{.keep_prob = keep_prob,
                        .stream = {mlp.config().seed, Mlp::mask_stream_id(layer, step)},
                        .first = first_row * width};
  std::vector<std::uint8_t> bits(mask_bytes(rows * width));
  bernoulli_mask(dropout, rows * width, bits);
  std::vector<bool> kept(rows * width);
  for (std::size_t i = 0; i < kept.size(); ++i) kept[i] = mask_bit(bits, i);
  return kept;
}

}  // namespace

TEST_CASE("mlp: masks are those of the documented streams") {
  Mlp mlp(config_with_seed(0x0123456789abcdefU));
  const auto batch = fixture::make_batch(mlp.config(), 24, 1);
  for (const std::uint64_t step :
       {std::uint64_t{0}, std::uint64_t{1}, (std::uint64_t{1} << 40) - 1}) {
    for (const std::uint64_t first_row :
         {std::uint64_t{0}, std::uint64_t{13}, std::uint64_t{1} << 50, std::uint64_t{1} << 63,
          std::uint64_t{0} - 24, std::uint64_t{0} - 5, std::uint64_t{0} - 1}) {
      for (const std::size_t rows : {std::size_t{24}, std::size_t{1}, std::size_t{7}}) {
        mlp.forward(batch.slice(0, rows).inputs(), step, first_row);
        for (std::size_t l = 0; l <= 2; ++l) {
          CAPTURE(l);
          CHECK(mask_of(mlp, l, rows) ==
                expected_mask(mlp, l, keep_probs[l], step, first_row, rows));
        }
      }
    }
  }
}

// In predictions too.
TEST_CASE("mlp: row numbers are counted modulo 2^64") {
  Mlp mlp(config_with_seed(3));
  const auto batch = fixture::make_batch(mlp.config(), 6, 1);
  const auto last_four = batch.slice(2, 4);
  const auto moments = [&](const fixture::Batch& rows, std::uint64_t first_row) {
    std::vector<float> both(2 * rows.rows * 3);
    const Matrix mean(both.data(), rows.rows, 3);
    mlp.predict_monte_carlo(rows.inputs(), mean, {mean.row(rows.rows), rows.rows, 3},
                            {.samples = 3, .first_row = first_row});
    const auto row_two = both.begin() + static_cast<std::ptrdiff_t>(3 * (rows.rows - 4));
    return std::vector<float>(row_two, row_two + 12);
  };
  CHECK(moments(batch, std::uint64_t{0} - 2) == moments(last_four, 0));
  CHECK(moments(batch, std::uint64_t{0} - 2) != moments(last_four, 1));

  for (const std::uint64_t first_row : {std::uint64_t{0} - 2, std::uint64_t{0} - 1}) {
    mlp.forward(batch.inputs(), 0, first_row);
    const auto whole = fixture::copy_of(mlp.a(3));
    for (std::size_t r = 0; r < 6; ++r) {
      const auto row = batch.slice(r, 1);
      const auto out = fixture::copy_of(mlp.forward(row.inputs(), 0, first_row + r));
      CHECK(out == std::vector<float>(&whole[3 * r], &whole[3 * r] + 3));
    }
  }
}

TEST_CASE("mlp: recorded masks end in zero bits") {
  Mlp mlp(config_with_seed(8));
  const auto batch = fixture::make_batch(mlp.config(), 24, 1);
  const auto part = batch.slice(0, 3);
  const auto check_ends = [&] {
    mlp.forward(batch.inputs(), 0);
    mlp.forward(part.inputs(), 0);
    for (std::size_t l = 0; l <= 2; ++l) {
      const std::size_t n = 3 * mlp.config().widths[l];
      REQUIRE(mlp.mask(l).size() == mask_bytes(n));
      for (std::size_t i = n; i < 8 * mask_bytes(n); ++i) CHECK_FALSE(mask_bit(mlp.mask(l), i));
    }
  };
  check_ends();
  for (std::size_t l = 0; l <= 2; ++l) {
    mlp.inject_mask(l, std::vector<std::uint8_t>(mask_bytes(24 * mlp.config().widths[l]), 0xFF));
  }
  check_ends();
}

TEST_CASE("mlp: stream ids of layers and steps never meet") {
  std::set<std::uint64_t> ids;
  const std::uint64_t last = (std::uint64_t{1} << 40) - 1;
  for (std::size_t layer = 0; layer < 40; ++layer) {
    for (std::uint64_t step = 0; step < 40; ++step) {
      ids.insert(Mlp::mask_stream_id(layer, step));
      ids.insert(Mlp::mask_stream_id(layer, last - step));
    }
  }
  CHECK(ids.size() == 40U * 80U);
}

TEST_CASE("mlp: a batch split over calls draws the same masks and computes the same") {
  Mlp mlp(config_with_seed(6));
  fixture::randomise(mlp, 3);
  const auto batch = fixture::make_batch(mlp.config(), 24, 1);
  mlp.forward(batch.inputs(), 9, 100);
  const auto whole = fixture::recorded_masks(mlp, 24);
  for (const std::size_t part : {std::size_t{1}, std::size_t{5}, std::size_t{8}}) {
    reference::Masks joined(3);
    for (std::size_t first = 0; first < 24; first += part) {
      const std::size_t rows = std::min(part, 24 - first);
      const auto slice = batch.slice(first, rows);
      mlp.forward(slice.inputs(), 9, 100 + first);
      const auto masks = fixture::recorded_masks(mlp, rows);
      for (std::size_t l = 0; l <= 2; ++l) {
        joined[l].insert(joined[l].end(), masks[l].begin(), masks[l].end());
      }
    }
    CHECK(joined == whole);
  }
}

TEST_CASE("mlp: steps, seeds and layers draw different masks, and the same ones again") {
  Mlp one(config_with_seed(1));
  Mlp two(config_with_seed(2));
  const auto batch = fixture::make_batch(one.config(), 24, 1);
  one.forward(batch.inputs(), 0);
  const auto first = fixture::recorded_masks(one, 24);
  one.forward(batch.inputs(), 1);
  const auto second = fixture::recorded_masks(one, 24);
  two.forward(batch.inputs(), 0);
  const auto other_seed = fixture::recorded_masks(two, 24);
  for (std::size_t l = 0; l <= 2; ++l) {
    CHECK(first[l] != second[l]);
    CHECK(first[l] != other_seed[l]);
  }
  one.forward(batch.inputs(), 0);
  CHECK(fixture::recorded_masks(one, 24) == first);

  auto config = fixture::make_config({16, 16, 16, 3}, Loss::softmax_ce, {0.5, 0.5, 0.5}, 24);
  Mlp equal_widths(config);
  equal_widths.forward(fixture::make_batch(config, 24, 1).inputs(), 0);
  const auto masks = fixture::recorded_masks(equal_widths, 24);
  CHECK(masks[0] != masks[1]);
  CHECK(masks[1] != masks[2]);
}

TEST_CASE("mlp: train_step draws the masks of the optimiser's step") {
  Mlp mlp(config_with_seed(77));
  Optimizer optimizer(OptimizerConfig{}, mlp.parameter_sizes());
  const auto batch = fixture::make_batch(mlp.config(), 24, 1);
  for (int i = 0; i < 3; ++i) {
    const std::uint64_t step = optimizer.step_count();
    mlp.train_step(batch.inputs(), batch.targets(), optimizer, 48);
    CHECK(optimizer.step_count() == step + 1);
    for (std::size_t l = 0; l <= 2; ++l) {
      CHECK(mask_of(mlp, l, 24) == expected_mask(mlp, l, keep_probs[l], step, 48, 24));
    }
  }
}

TEST_CASE("mlp: injected masks hold until they are taken back") {
  Mlp mlp(config_with_seed(4));
  const auto batch = fixture::make_batch(mlp.config(), 24, 1);
  const auto masks = fixture::inject_random_masks(mlp, 24, 9);
  for (std::uint64_t step = 0; step < 2; ++step) {
    mlp.forward(batch.inputs(), step, 10 * step);
    CHECK(fixture::recorded_masks(mlp, 24) == masks);
  }
  mlp.inject_mask(1, {});
  mlp.forward(batch.inputs(), 0);
  CHECK(mask_of(mlp, 0, 24) == masks[0]);
  CHECK(mask_of(mlp, 1, 24) == expected_mask(mlp, 1, keep_probs[1], 0, 0, 24));
  CHECK(mask_of(mlp, 2, 24) == masks[2]);
}

TEST_CASE("mlp: set_keep_prob counts from the next forward on") {
  Mlp mlp(config_with_seed(4));
  const auto batch = fixture::make_batch(mlp.config(), 24, 1);
  for (std::size_t l = 0; l <= 2; ++l) {
    for (const double keep_prob : {1.0, 0.3, 0.0}) {
      mlp.set_keep_prob(l, keep_prob);
      mlp.forward(batch.inputs(), 2);
      CHECK(mask_of(mlp, l, 24) == expected_mask(mlp, l, keep_prob, 2, 0, 24));
      CHECK((l == 0 ? mlp.config().input_keep_prob : mlp.config().keep_prob.at(l - 1)) ==
            keep_prob);
    }
  }
  Mlp without({.widths = {5, 9, 3}, .max_batch = 24, .record = true});
  without.set_keep_prob(1, 0.5);
  without.forward(batch.inputs(), 2);
  CHECK(mask_of(without, 1, 24) == expected_mask(without, 1, 0.5, 2, 0, 24));
}
