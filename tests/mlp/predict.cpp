// Inference: no dropout, nothing rescaled, any number of rows, and no trace left.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "helpers/mlp_fixtures.h"

namespace {

using namespace simdrop;

constexpr float quiet_nan = std::numeric_limits<float>::quiet_NaN();

std::vector<float> predict(Mlp& mlp, const fixture::Batch& batch) {
  std::vector<float> out(batch.rows * batch.outputs, quiet_nan);
  mlp.predict(batch.inputs(), {out.data(), batch.rows, batch.outputs});
  return out;
}

// The oracle's forward with every unit kept and keep_prob 1.
reference::Tensor expected_prediction(const Mlp& mlp, const fixture::Batch& batch) {
  auto network = fixture::network_of(mlp);
  network.keep_prob.assign(network.keep_prob.size(), 1.0);
  const auto masks = fixture::keep_everything(mlp.config(), batch.rows);
  return reference::forward(network, fixture::tensor_of(batch.inputs()), masks).a.back();
}

}  // namespace

TEST_CASE("mlp: predict equals the textbook's network without dropout") {
  for (const Loss loss : fixture::all_losses) {
    for (const std::size_t max_batch : {std::size_t{4}, std::size_t{100}}) {
      Mlp mlp(fixture::make_config({7, 33, 17, 3}, loss, {0.8, 0.5, 0.75}, max_batch));
      fixture::randomise(mlp, 3);
      for (const std::size_t rows :
           {std::size_t{1}, std::size_t{4}, std::size_t{5}, std::size_t{131}}) {
        CAPTURE(max_batch);
        CAPTURE(rows);
        const auto batch = fixture::make_batch(mlp.config(), rows, 5);
        const auto out = predict(mlp, batch);
        fixture::check_close({out.data(), rows, 3}, expected_prediction(mlp, batch), "predict");
      }
    }
  }
}

// Calls of up to 32 rows; more in threads.cpp.
TEST_CASE("mlp: a prediction of few rows is the same row by row, and on 1 to 4 threads") {
  auto config = fixture::make_config({257, 300, 129, 10}, Loss::softmax_ce, {1.0, 1.0, 1.0}, 70);
  Mlp mlp(config);
  fixture::randomise(mlp, 3);
  const auto batch = fixture::make_batch(config, 32, 5);
  const auto want = predict(mlp, batch);
  for (const std::size_t part : {std::size_t{1}, std::size_t{3}, std::size_t{17}}) {
    std::vector<float> joined;
    for (std::size_t first = 0; first < 32; first += part) {
      const auto out = predict(mlp, batch.slice(first, std::min(part, 32 - first)));
      joined.insert(joined.end(), out.begin(), out.end());
    }
    CHECK(fixture::same_bits(joined, want));
  }
  for (int threads = 2; threads <= 4; ++threads) {
    config.num_threads = threads;
    Mlp other(config);
    fixture::randomise(other, 3);
    CHECK(fixture::same_bits(predict(other, batch), want));
    CHECK(fixture::same_bits(predict(other, batch.slice(0, 1)),
                             std::vector<float>(want.begin(), want.begin() + 10)));
  }
}

TEST_CASE("mlp: predict takes no rows at all") {
  Mlp mlp(fixture::make_config({7, 33, 3}, Loss::softmax_ce, {0.8, 0.5}, 4));
  float out = 5.0F;
  CHECK_NOTHROW(mlp.predict({&out, 0, 7}, {&out, 0, 3}));
  CHECK_NOTHROW(mlp.predict({nullptr, 0, 7}, {nullptr, 0, 3}));
  CHECK(out == 5.0F);
}

TEST_CASE("mlp: predict knows nothing of keep_prob, masks or steps") {
  const auto config = fixture::make_config({7, 33, 17, 3}, Loss::softmax_ce, {1.0, 1.0, 1.0}, 8);
  Mlp mlp(config);
  const auto batch = fixture::make_batch(config, 20, 5);
  const auto want = predict(mlp, batch);
  for (std::size_t l = 0; l <= 2; ++l) mlp.set_keep_prob(l, 0.3);
  CHECK(fixture::same_bits(predict(mlp, batch), want));
  fixture::inject_random_masks(mlp, 8, 2);
  CHECK(fixture::same_bits(predict(mlp, batch), want));
  mlp.forward(batch.slice(0, 8).inputs(), 3);
  CHECK(fixture::same_bits(predict(mlp, batch), want));
  auto other = config;
  other.keep_prob = {0.5, 0.0};
  other.input_keep_prob = 0.1;
  other.record = false;
  other.num_threads = 3;
  Mlp other_mlp(other);
  CHECK(fixture::same_bits(predict(other_mlp, batch), want));
}

TEST_CASE("mlp: predict between forward and backward leaves no trace") {
  Mlp mlp(fixture::make_config({7, 33, 17, 3}, Loss::softmax_ce, {0.8, 0.5, 0.75}, 8));
  const auto batch = fixture::make_batch(mlp.config(), 8, 5);
  const auto big = fixture::make_batch(mlp.config(), 50, 6);
  mlp.forward(batch.inputs(), 1);
  const double loss = mlp.backward(batch.targets());
  const auto want = fixture::gradients(mlp);

  mlp.forward(batch.inputs(), 1);
  const auto masks = fixture::recorded_masks(mlp, 8);
  const auto output = fixture::copy_of(mlp.a(3));
  predict(mlp, big);
  CHECK(fixture::recorded_masks(mlp, 8) == masks);
  CHECK(fixture::same_bits(fixture::copy_of(mlp.a(3)), output));
  CHECK(mlp.backward(batch.targets()) == loss);
  CHECK(fixture::same_bits(fixture::gradients(mlp), want));
}

TEST_CASE("mlp: predict honours leading dimensions and writes nothing else") {
  Mlp mlp(fixture::make_config({7, 33, 3}, Loss::identity_mse, {0.8, 0.5}, 4));
  const auto batch = fixture::make_batch(mlp.config(), 9, 5);
  const auto want = predict(mlp, batch);
  std::vector<float> x(9 * 10, quiet_nan);
  for (std::size_t i = 0; i < batch.x.size(); ++i) x[i / 7 * 10 + i % 7] = batch.x[i];
  std::vector<float> out(9 * 5, 3.0F);
  mlp.predict({x.data(), 9, 7, 10}, {out.data(), 9, 3, 5});
  CHECK(fixture::same_bits(fixture::copy_of({out.data(), 9, 3, 5}), want));
  for (std::size_t r = 0; r < 9; ++r) {
    CHECK(out[r * 5 + 3] == 3.0F);
    CHECK(out[r * 5 + 4] == 3.0F);
  }
}

TEST_CASE("mlp: without dropout, forward computes what predict computes") {
  for (const Loss loss : fixture::all_losses) {
    // More than the few rows that predict sums in an order of their own.
    Mlp mlp(fixture::make_config({7, 33, 17, 3}, loss, {1.0, 1.0, 1.0}, 80));
    const auto batch = fixture::make_batch(mlp.config(), 80, 5);
    const auto forward = fixture::copy_of(mlp.forward(batch.inputs(), 0));
    CHECK(fixture::same_bits(predict(mlp, batch), forward));
  }
}
