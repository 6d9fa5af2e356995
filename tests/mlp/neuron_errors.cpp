// DropoutUnit::neuron: misuse is an error that names the argument, and changes nothing.
#include <doctest/doctest.h>

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "helpers/expect_invalid.h"
#include "helpers/mlp_fixtures.h"
#include "helpers/unit_masks.h"

namespace {

using namespace simdrop;

MlpConfig good_config() {
  auto config = fixture::make_config({5, 9, 20, 3}, Loss::softmax_ce, {0.8, 0.5, 0.75}, 6);
  config.dropout_unit = DropoutUnit::neuron;
  return config;
}

}  // namespace

TEST_CASE("mlp neuron: a config out of range is an error that names the field") {
  auto config = good_config();
  config.dropout_unit = static_cast<DropoutUnit>(2);
  test::expect_invalid("dropout_unit", "2", [&] { Mlp mlp(config); });
  config.dropout_unit = static_cast<DropoutUnit>(-1);
  test::expect_invalid("dropout_unit", "-1", [&] { Mlp mlp(config); });
  config.dropout_unit = DropoutUnit::element;
  config.lazy_updates = true;
  test::expect_invalid("lazy_updates", "1", [&] { Mlp mlp(config); });
  config.dropout_unit = DropoutUnit::neuron;
  CHECK_NOTHROW(Mlp{config});
  CHECK(Mlp{config}.config().dropout_unit == DropoutUnit::neuron);
  CHECK(Mlp{config}.config().lazy_updates);
}

TEST_CASE("mlp neuron: a mask has a bit for each unit, or it is an error and changes nothing") {
  Mlp mlp(good_config());
  const auto batch = fixture::make_batch(mlp.config(), 6, 1);
  const auto kept = fixture::random_unit_masks(mlp.config(), 0.5, 3);
  fixture::inject_units(mlp, kept);
  const std::vector<std::uint8_t> bits(mask_bytes(6 * 20), 0xFF);
  const auto expect = [&](std::size_t layer, std::size_t got, const std::string& wanted) {
    const auto wrong = std::span(bits).first(got);
    test::expect_invalid("bits.size()", std::to_string(got),
                         [&] { mlp.inject_mask(layer, wrong); });
    test::expect_invalid("bits.size()", wanted, [&] { mlp.inject_mask(layer, wrong); });
  };
  expect(0, 2, "= 1");
  expect(1, 1, "= 2");
  expect(1, 3, "= 2");
  expect(1, mask_bytes(6 * 9), "= 2");
  expect(2, mask_bytes(6 * 20), "= 3");
  test::expect_invalid("layer", "3", [&] { mlp.inject_mask(3, std::span(bits).first(1)); });
  mlp.forward(batch.inputs(), 0);
  CHECK(fixture::recorded_unit_masks(mlp) == kept);
}

TEST_CASE("mlp neuron: what was not recorded cannot be read, but for the last layer's") {
  auto config = good_config();
  config.record = false;
  const auto batch = fixture::make_batch(config, 6, 1);
  Mlp mlp(config);
  CHECK_THROWS_AS((void)mlp.a(3), std::logic_error);
  mlp.forward(batch.inputs(), 0);
  CHECK_THROWS_AS((void)mlp.dz(3), std::logic_error);
  mlp.backward(batch.targets());
  CHECK_THROWS_AS((void)mlp.a(0), std::logic_error);
  CHECK_THROWS_AS((void)mlp.mask(0), std::logic_error);
  for (const std::size_t l : {std::size_t{1}, std::size_t{2}}) {
    CHECK_THROWS_AS((void)mlp.z(l), std::logic_error);
    CHECK_THROWS_AS((void)mlp.a(l), std::logic_error);
    CHECK_THROWS_AS((void)mlp.mask(l), std::logic_error);
    CHECK_THROWS_AS((void)mlp.da(l), std::logic_error);
    CHECK_THROWS_AS((void)mlp.dz(l), std::logic_error);
  }
  CHECK_THROWS_AS((void)mlp.z(3), std::logic_error);
  config.record = true;
  Mlp recording(config);
  recording.forward(batch.inputs(), 0);
  recording.backward(batch.targets());
  CHECK(fixture::same_bits(fixture::copy_of(mlp.a(3)), fixture::copy_of(recording.a(3))));
  CHECK(fixture::same_bits(fixture::copy_of(mlp.dz(3)), fixture::copy_of(recording.dz(3))));
  CHECK(fixture::same_bits(fixture::gradients(mlp), fixture::gradients(recording)));
}

TEST_CASE("mlp neuron: misuse of a step is an error and changes nothing") {
  for (const bool lazy : {false, true}) {
    auto config = good_config();
    config.lazy_updates = lazy;
    Mlp mlp(config);
    const auto batch = fixture::make_batch(config, 7, 1);
    const auto six = batch.slice(0, 6);
    auto sizes = mlp.parameter_sizes();
    Optimizer optimizer(OptimizerConfig{}, sizes);
    mlp.train_step(six.inputs(), six.targets(), optimizer);
    const auto seen = [&] {
      auto out = fixture::parameters(mlp);
      for (std::size_t l = 1; l <= 3; ++l) {
        for (const auto& m : {mlp.a(l), mlp.z(l), mlp.dz(l), mlp.dw(l)}) {
          const auto part = fixture::copy_of(m);
          out.insert(out.end(), part.begin(), part.end());
        }
      }
      return out;
    };
    const auto before = seen();
    const auto masks = fixture::recorded_unit_masks(mlp);
    const auto step = [&](ConstMatrix x, const fixture::Batch& targets, Optimizer& by) {
      mlp.train_step(x, targets.targets(), by);
    };
    test::expect_invalid("x", "7", [&] { step(batch.inputs(), batch, optimizer); });
    test::expect_invalid("x", "4", [&] { step({batch.x.data(), 6, 4}, six, optimizer); });
    test::expect_invalid("targets", "7", [&] { step(six.inputs(), batch, optimizer); });
    ++sizes[3];
    Optimizer other(OptimizerConfig{}, sizes);
    test::expect_invalid("optimizer", "21", [&] { step(six.inputs(), six, other); });
    test::expect_invalid("x", "7", [&] { mlp.forward(batch.inputs(), 3); });
    CHECK(optimizer.step_count() == 1);
    CHECK(fixture::same_bits(seen(), before));
    CHECK(fixture::recorded_unit_masks(mlp) == masks);
  }
}

TEST_CASE("mlp neuron: groups end where row numbers do, or it is an error and changes nothing") {
  struct Case {
    std::size_t rows, group;
    std::uint64_t distance;  // from first_row to 2^64
  };
  for (const Case c : {Case{6, 3, 2}, {9, 5, 2}, {64, 3, 5}, {2, 1, 1}, {7, 7, 6}}) {
    auto config = good_config();
    config.dropout_group = c.group;
    config.max_batch = c.rows;
    Mlp mlp(config);
    Mlp twin(config);
    const auto batch = fixture::make_batch(config, c.rows, 1);
    Optimizer optimizer(OptimizerConfig{}, mlp.parameter_sizes());
    Optimizer twin_optimizer(OptimizerConfig{}, twin.parameter_sizes());
    const auto before = fixture::parameters(mlp);
    const std::uint64_t wraps = 0 - c.distance;
    const auto text = std::to_string(wraps);
    test::expect_invalid("first_row", text, [&] { mlp.forward(batch.inputs(), 0, wraps); });
    test::expect_invalid("first_row", text, [&] {
      mlp.train_step(batch.inputs(), batch.targets(), optimizer, wraps);
    });
    CHECK(fixture::same_bits(fixture::parameters(mlp), before));
    CHECK(optimizer.step_count() == 0);
    // The last rows that there are can be trained on.
    const std::uint64_t last = 0 - std::uint64_t{c.rows};
    mlp.train_step(batch.inputs(), batch.targets(), optimizer, last);
    twin.train_step(batch.inputs(), batch.targets(), twin_optimizer, last);
    CHECK(fixture::same_bits(fixture::parameters(mlp), fixture::parameters(twin)));
  }
}

TEST_CASE("mlp neuron: a moved network is the same network") {
  Mlp original(good_config());
  Mlp twin(good_config());
  const auto batch = fixture::make_batch(original.config(), 6, 1);
  original.forward(batch.inputs(), 4);
  Mlp moved(std::move(original));
  moved.backward(batch.targets());
  twin.forward(batch.inputs(), 4);
  twin.backward(batch.targets());
  CHECK(fixture::same_bits(fixture::gradients(moved), fixture::gradients(twin)));
}
