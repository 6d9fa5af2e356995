// Copies of networks.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <vector>

#include "helpers/mlp_fixtures.h"

namespace {

using namespace simdrop;

Mlp trained(DropoutUnit unit) {
  auto config = fixture::make_config({5, 17, 9, 3}, Loss::softmax_ce, {0.9, 0.5, 0.7}, 8);
  config.dropout_unit = unit;
  config.seed = 3;
  config.record = true;
  Mlp mlp(config);
  fixture::randomise(mlp, 4);
  mlp.set_keep_prob(0, 0.8);
  mlp.set_keep_prob(2, 0.75);
  return mlp;
}

std::vector<float> outputs(Mlp& mlp, const fixture::Batch& batch) {
  return fixture::copy_of(mlp.forward(batch.inputs(), 2, 5));
}

}  // namespace

TEST_CASE("mlp clone: the same forward, masks and all, and another life") {
  for (const DropoutUnit unit : {DropoutUnit::element, DropoutUnit::neuron}) {
    Mlp mlp = trained(unit);
    const auto batch = fixture::make_batch(mlp.config(), 8, 1);
    const auto bits = fixture::random_bits(8 * 17, 0.5, 6);
    mlp.inject_mask(1, unit == DropoutUnit::element ? bits : std::vector<std::uint8_t>(3, 0x55));
    Mlp copy = mlp.clone();
    CHECK(copy.config().keep_prob == std::vector<double>{0.5, 0.75});
    CHECK(copy.config().input_keep_prob == 0.8);
    CHECK(copy.config().seed == 3);
    CHECK(fixture::parameters(copy) == fixture::parameters(mlp));
    CHECK(outputs(copy, batch) == outputs(mlp, batch));
    for (std::size_t l = 0; l < 3; ++l) CHECK(std::ranges::equal(copy.mask(l), mlp.mask(l)));

    const auto before = fixture::parameters(copy);
    Optimizer sgd({.learning_rate = 0.5}, mlp);
    mlp.train_step(batch.inputs(), batch.labels, sgd);
    CHECK(fixture::parameters(mlp) != before);
    CHECK(fixture::parameters(copy) == before);
    mlp = copy.clone();  // back to the best, as early stopping does
    CHECK(fixture::parameters(mlp) == before);
    copy.inject_mask(1, {});
    CHECK(outputs(copy, batch) != outputs(mlp, batch));
  }
}

TEST_CASE("mlp clone: what forward kept is not copied") {
  Mlp mlp = trained(DropoutUnit::element);
  const auto batch = fixture::make_batch(mlp.config(), 8, 1);
  mlp.forward(batch.inputs(), 0);
  Mlp copy = mlp.clone();
  CHECK_THROWS_AS((void)copy.a(1), std::logic_error);
  CHECK_THROWS_AS(copy.backward(batch.targets()), std::logic_error);
  mlp.backward(batch.targets());  // and the original goes on
}

TEST_CASE("mlp clone: NaN and infinite weights are weights") {
  Mlp mlp = trained(DropoutUnit::element);
  mlp.weights(1)(0, 0) = std::numeric_limits<float>::quiet_NaN();
  mlp.bias(3)[0] = -std::numeric_limits<float>::infinity();
  CHECK(fixture::same_bits(fixture::parameters(mlp.clone()), fixture::parameters(mlp)));
}
