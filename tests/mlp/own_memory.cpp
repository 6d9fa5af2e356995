// A network's own memory handed back to it: an error where a call would overwrite what it reads.
#include "mlp/own_memory.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "helpers/expect_invalid.h"
#include "helpers/mlp_fixtures.h"
#include "simdrop/optimizer.hpp"
#include "simdrop/predictor.hpp"

namespace {

using namespace simdrop;

constexpr std::size_t width = 3;
constexpr const char* said = "overlaps the network's own";

// All layers are equally wide, so that what one has is an input of the network by its shape.
MlpConfig square_config(DropoutUnit unit, Loss loss) {
  auto config = fixture::make_config({width, width, width, width}, loss, {0.75, 0.5, 0.75}, 4);
  config.dropout_unit = unit;
  return config;
}

// All that a network shows after a step, by rows of `width`.
std::vector<ConstMatrix> views_of(const Mlp& mlp) {
  std::vector<ConstMatrix> views;
  for (std::size_t l = 1; l <= mlp.num_layers(); ++l) {
    const std::span<const float> bias = mlp.bias(l);
    const std::span<const float> db = mlp.db(l);
    for (const ConstMatrix& m : {mlp.weights(l), ConstMatrix(bias), mlp.z(l), mlp.a(l), mlp.dz(l),
                                 mlp.dw(l), ConstMatrix(db)}) {
      views.push_back(m);
    }
  }
  for (std::size_t l = 1; l < mlp.num_layers(); ++l) views.push_back(mlp.da(l));
  views.push_back(mlp.a(0));
  return views;
}

std::vector<float> everything(const Mlp& mlp) {
  std::vector<float> all;
  for (const ConstMatrix& view : views_of(mlp)) {
    const auto part = fixture::copy_of(view);
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

// A view, and places that reach into it from both sides with a gap between their rows.
std::vector<ConstMatrix> meeting(ConstMatrix view) {
  const float* last = view.row(view.rows - 1) + width - 1;
  return {{view.data, 1, width},
          {view.data - (width - 1), 1, width},
          {last, 1, width},
          {view.data - 100, 2, width, 100 + view.size() - 1}};
}

Matrix writable(ConstMatrix m) {
  return {const_cast<float*>(m.data), m.rows, m.cols, m.ld};  // NOLINT: what the C API can do
}

struct Trained {
  explicit Trained(DropoutUnit unit, Loss loss = Loss::identity_mse)
      : mlp(square_config(unit, loss)),
        batch(fixture::make_batch(mlp.config(), 3, 1)),
        optimizer({.learning_rate = 0.1}, mlp) {
    fixture::randomise(mlp, 2);
    mlp.train_step(batch.inputs(), batch.targets(), optimizer);
  }
  Mlp mlp;
  fixture::Batch batch;
  Optimizer optimizer;
};

}  // namespace

TEST_CASE("own memory: a region overlaps what it has a byte in common with") {
  detail::OwnMemory own;
  const auto at = [](std::uintptr_t address) {
    return reinterpret_cast<const std::uint8_t*>(address);  // NOLINT: never read
  };
  CHECK_FALSE(own.overlaps(std::span(at(100), 50)));
  own.add(at(200), 10);
  own.add(at(100), 10);
  own.add(at(300), 10);
  own.sort();
  for (const std::uintptr_t begin : {100U, 200U, 300U}) {
    CHECK(own.overlaps(std::span(at(begin), 1)));
    CHECK(own.overlaps(std::span(at(begin + 9), 1)));
    CHECK(own.overlaps(std::span(at(begin - 20), 40)));
    CHECK_FALSE(own.overlaps(std::span(at(begin + 10), 90)));
    CHECK_FALSE(own.overlaps(std::span(at(begin - 20), 20)));
    CHECK_FALSE(own.overlaps(std::span(at(begin), 0)));
  }
  CHECK(own.overlaps(std::span(at(1), 1000)));
  CHECK(own.overlaps(MatrixView<const std::uint8_t>(at(1), 2, 1, 100)));
  CHECK_FALSE(own.overlaps(MatrixView<const std::uint8_t>(at(1), 2, 1, 98)));
}

TEST_CASE("mlp: its own memory as a batch or as targets is an error and changes nothing") {
  for (const DropoutUnit unit : {DropoutUnit::element, DropoutUnit::neuron}) {
    Trained t(unit);
    const auto before = everything(t.mlp);
    const ConstMatrix x(t.batch.x.data(), 1, width);
    for (const ConstMatrix& view : views_of(t.mlp)) {
      for (const ConstMatrix& m : meeting(view)) {
        const ConstMatrix like(t.batch.x.data(), m.rows, width);
        test::expect_invalid("x", said, [&] { t.mlp.forward(m, 0); });
        test::expect_invalid("x", said, [&] { t.mlp.train_step(m, like, t.optimizer); });
        test::expect_invalid("targets.values", said,
                             [&] { t.mlp.train_step(like, m, t.optimizer); });
      }
      const ConstMatrix three(view.data, width, width);
      test::expect_invalid("targets.values", said, [&] { t.mlp.backward(three); });
    }
    CHECK(t.optimizer.step_count() == 1);
    CHECK(fixture::same_bits(everything(t.mlp), before));
    t.mlp.forward(x, 0);  // goes on
  }
}

TEST_CASE("mlp: its own masks as labels are an error") {
  Trained t(DropoutUnit::element, Loss::softmax_ce);
  const std::vector<std::uint8_t> zeros(fixture::copy_of(t.mlp.a(0)).size());
  t.mlp.inject_mask(1, std::vector<std::uint8_t>(mask_bytes(4 * width)));
  t.mlp.forward(t.batch.inputs(), 0);  // bytes of 0 are labels
  const std::span<const std::uint8_t> labels = t.mlp.mask(1).first(1);
  const ConstMatrix x(t.batch.x.data(), 1, width);
  test::expect_invalid("targets.labels", said, [&] { t.mlp.train_step(x, labels, t.optimizer); });
  CHECK(t.optimizer.step_count() == 1);
}

TEST_CASE("mlp: predictions may read its memory, but not be written there") {
  for (const DropoutUnit unit : {DropoutUnit::element, DropoutUnit::neuron}) {
    Trained t(unit);
    Predictor predictor(t.mlp, 4);
    const auto before = everything(t.mlp);
    std::vector<float> out(width);
    std::vector<float> want(width);
    std::vector<float> other(width);
    const ConstMatrix x(t.batch.x.data(), 1, width);
    for (const ConstMatrix& view : views_of(t.mlp)) {
      const ConstMatrix in(view.data, 1, width);
      const auto copy = fixture::copy_of(in);
      t.mlp.predict(copy, want);
      t.mlp.predict(in, out);
      CHECK(fixture::same_bits(out, want));
      predictor.predict(in, out);
      CHECK(fixture::same_bits(out, want));

      const Matrix to = writable(in);
      test::expect_invalid("out", said, [&] { t.mlp.predict(x, to); });
      test::expect_invalid("out", said, [&] { predictor.predict(x, to); });
      const MonteCarloOptions two{.samples = 2};
      test::expect_invalid("mean", said, [&] { t.mlp.predict_monte_carlo(x, to, other, two); });
      test::expect_invalid("variance", said,
                           [&] { predictor.predict_monte_carlo(x, other, to, two); });
    }
    CHECK(fixture::same_bits(everything(t.mlp), before));
  }
}

TEST_CASE("mlp: its own mask may be injected, its input used again") {
  auto config = square_config(DropoutUnit::element, Loss::identity_mse);
  config.input_keep_prob = 1.0;
  Mlp mlp(config);
  const auto batch = fixture::make_batch(config, 4, 1);
  mlp.forward(batch.inputs(), 3);
  const auto first = fixture::copy_of(mlp.a(mlp.num_layers()));
  for (const std::size_t l : {1U, 2U}) mlp.inject_mask(l, mlp.mask(l));
  mlp.forward(batch.inputs(), 4);
  CHECK(fixture::same_bits(fixture::copy_of(mlp.a(mlp.num_layers())), first));
  // Another network's activations are a batch like any other, and so is what a(0) shows where
  // nothing is dropped or recorded: the caller's x.
  config.record = false;
  Mlp second(config);
  second.forward(mlp.a(mlp.num_layers()), 0);
  CHECK_NOTHROW(second.forward(second.a(0), 0));
}

TEST_CASE("optimizer: a gradient within the weights is an error and changes nothing") {
  Optimizer optimizer({.learning_rate = 0.1, .momentum = 0.5}, {4});
  optimizer.begin_step();
  std::vector<float> memory{1, 2, 3, 4, 5, 6, 7};
  const std::vector<float> before = memory;
  const auto part = [&](std::size_t first) { return std::span(memory).subspan(first, 4); };
  for (const std::size_t first : {0U, 1U, 3U}) {
    test::expect_invalid("weights", "overlaps gradient",
                         [&] { optimizer.update(0, part(first), part(0)); });
    test::expect_invalid("weights", "overlaps gradient",
                         [&] { optimizer.update(0, part(0), part(first)); });
  }
  CHECK(memory == before);
}
