// The MLP against the textbook algorithm, number by number.
#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

#include "helpers/mlp_fixtures.h"

namespace {

using namespace simdrop;

void check_intermediates(const Mlp& mlp, const reference::Pass& want, double looseness = 1e-3) {
  const std::size_t layers = mlp.num_layers();
  fixture::check_close(mlp.a(0), want.a[0], "a(0)");
  for (std::size_t l = 1; l <= layers; ++l) {
    const std::string layer = " of layer " + std::to_string(l);
    fixture::check_close(mlp.z(l), want.z[l], "z" + layer, looseness);
    fixture::check_close(mlp.a(l), want.a[l], "a" + layer, looseness);
    fixture::check_close(mlp.dz(l), want.dz[l], "dz" + layer, looseness);
    fixture::check_close(mlp.dw(l), want.dw[l], "dw" + layer, looseness);
    fixture::check_close(mlp.db(l), want.db[l], "db" + layer, looseness);
    if (l < layers) fixture::check_close(mlp.da(l), want.da[l], "da" + layer, looseness);
  }
}

void check_masks(const Mlp& mlp, const reference::Masks& masks) {
  for (std::size_t l = 0; l < mlp.num_layers(); ++l) {
    REQUIRE(mlp.mask(l).size() >= mask_bytes(masks[l].size()));
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < masks[l].size(); ++i) {
      wrong += mask_bit(mlp.mask(l), i) != masks[l][i] ? 1U : 0U;
    }
    CHECK(wrong == 0);
  }
}

// One forward and backward with injected masks, all of it compared.
void check_step(const std::vector<std::size_t>& widths, Loss loss,
                const std::vector<double>& keep_probs, std::size_t rows, double looseness = 1e-3) {
  Mlp mlp(fixture::make_config(widths, loss, keep_probs, rows + 3));
  const std::string network = fixture::describe(mlp.config());
  CAPTURE(network);
  CAPTURE(rows);
  fixture::randomise(mlp, 11);
  const auto masks = fixture::inject_random_masks(mlp, rows, 23);
  const auto batch = fixture::make_batch(mlp.config(), rows, 37);
  const auto want = fixture::oracle_pass(mlp, batch, masks);
  REQUIRE(want.ambiguous_gates == 0);

  const ConstMatrix output = mlp.forward(batch.inputs(), 0);
  const double got_loss = mlp.backward(batch.targets());
  CHECK(std::abs(got_loss - want.loss.value) <= want.loss.bound);
  CHECK(fixture::same_bits(fixture::copy_of(output), fixture::copy_of(mlp.a(mlp.num_layers()))));
  check_intermediates(mlp, want, looseness);
  check_masks(mlp, masks);
}

}  // namespace

TEST_CASE("mlp: a three-layer network equals the textbook in every number") {
  for (const Loss loss : fixture::all_losses) {
    check_step({7, 33, 17, 3}, loss, {0.8, 0.5, 0.75}, 13);
    check_step({7, 33, 17, 3}, loss, {0.9, 0.86, 1.0 / 3.0}, 64);
  }
}

TEST_CASE("mlp: odd widths and batches equal the textbook") {
  const double wide = 1e-2;  // bounds grow with the widths and the layers
  for (const std::size_t rows : {std::size_t{1}, std::size_t{7}, std::size_t{129}}) {
    for (const Loss loss : fixture::all_losses) {
      check_step({3, 17, 33, 3}, loss, {0.9, 0.7, 0.6}, rows, wide);
      check_step({1, 100, 1, 17}, loss, {1.0, 0.7, 0.8}, rows, wide);
      check_step({100, 33, 2}, loss, {0.8, 0.5}, rows, wide);
      check_step({33, 3}, loss, {0.8}, rows, wide);
    }
  }
  check_step({3, 33, 1}, Loss::sigmoid_bce, {1.0, 0.8}, 7, wide);
  check_step({130, 257, 65, 10}, Loss::softmax_ce, {0.8, 0.5, 0.9}, 3, wide);
}

TEST_CASE("mlp: injected masks count at keep_prob 1, and keep_prob 0 drops all") {
  for (const Loss loss : fixture::all_losses) {
    check_step({5, 9, 8, 3}, loss, {1.0, 1.0, 1.0}, 7);
    check_step({5, 9, 8, 3}, loss, {1.0, 0.0, 0.5}, 7);
    check_step({5, 9, 8, 3}, loss, {0.0, 0.5, 1.0}, 7);
  }
}

TEST_CASE("mlp: without dropout every unit is kept") {
  Mlp mlp(fixture::make_config({5, 9, 8, 3}, Loss::sigmoid_bce, {1.0, 1.0, 1.0}, 7));
  fixture::randomise(mlp, 3);
  const auto batch = fixture::make_batch(mlp.config(), 7, 5);
  const auto masks = fixture::keep_everything(mlp.config(), 7);
  const auto want = fixture::oracle_pass(mlp, batch, masks);
  REQUIRE(want.ambiguous_gates == 0);
  mlp.forward(batch.inputs(), 0);
  mlp.backward(batch.targets());
  check_intermediates(mlp, want);
  check_masks(mlp, masks);
  CHECK(fixture::same_bits(fixture::copy_of(mlp.a(0)), batch.x));
}

TEST_CASE("mlp: drawn masks give the textbook's numbers too") {
  auto config = fixture::make_config({7, 33, 17, 3}, Loss::softmax_ce, {0.8, 0.5, 0.75}, 20);
  config.seed = 99;
  Mlp mlp(config);
  fixture::randomise(mlp, 41);
  const auto batch = fixture::make_batch(config, 20, 43);
  for (std::uint64_t step = 0; step < 3; ++step) {
    mlp.forward(batch.inputs(), step, 1000);
    mlp.backward(batch.targets());
    const auto want = fixture::oracle_pass(mlp, batch, fixture::recorded_masks(mlp, 20));
    REQUIRE(want.ambiguous_gates == 0);
    check_intermediates(mlp, want);
  }
}

TEST_CASE("mlp: the input may have a leading dimension") {
  Mlp mlp(fixture::make_config({5, 9, 3}, Loss::softmax_ce, {0.8, 0.5}, 6));
  const auto batch = fixture::make_batch(mlp.config(), 6, 5);
  mlp.forward(batch.inputs(), 4);
  const double loss = mlp.backward(batch.targets());
  const auto want = fixture::gradients(mlp);

  std::vector<float> padded(6 * 8, std::numeric_limits<float>::quiet_NaN());
  for (std::size_t i = 0; i < batch.x.size(); ++i) padded[i / 5 * 8 + i % 5] = batch.x[i];
  mlp.forward({padded.data(), 6, 5, 8}, 4);
  CHECK(mlp.backward(batch.targets()) == loss);
  CHECK(fixture::same_bits(fixture::gradients(mlp), want));
}
