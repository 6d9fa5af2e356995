// Predictors that share one network.
#include <doctest/doctest.h>

#include <thread>
#include <utility>
#include <vector>

#include "helpers/expect_invalid.h"
#include "helpers/mlp_fixtures.h"
#include "helpers/pools.h"
#include "simdrop/predictor.hpp"

namespace {

using namespace simdrop;
using Values = std::vector<float>;

// predict() and predict_monte_carlo() of an Mlp or a Predictor, end to end.
template <class Subject>
Values predictions(Subject& subject, const fixture::Batch& batch,
                   std::optional<Threads> threads = {}) {
  const std::size_t n = batch.rows * batch.outputs;
  Values all(3 * n);
  const auto part = [&](std::size_t i) {
    return Matrix{all.data() + i * n, batch.rows, batch.outputs};
  };
  subject.predict(batch.inputs(), part(0), threads);
  subject.predict_monte_carlo(batch.inputs(), 5, part(1), part(2), 2, 11, threads);
  return all;
}

MlpConfig config_of(Loss loss, std::size_t max_batch) {
  return fixture::make_config({60, 213, 129, 10}, loss, {0.8, 0.5, 0.7}, max_batch);
}

}  // namespace

TEST_CASE("embedding: a Predictor predicts what the Mlp does, bit for bit") {
  for (const Loss loss : fixture::all_losses) {
    for (const std::size_t max_batch : {std::size_t{1}, std::size_t{32}, std::size_t{65}}) {
      Mlp mlp(config_of(loss, max_batch));
      fixture::randomise(mlp, 3);
      Predictor predictor(mlp, max_batch);
      test::QueuePool pool(2);
      for (const std::size_t rows : {std::size_t{1}, std::size_t{40}, std::size_t{131}}) {
        CAPTURE(max_batch);
        CAPTURE(rows);
        const auto batch = fixture::make_batch(mlp.config(), rows, 5);
        const Values want = predictions(mlp, batch);
        CHECK(fixture::same_bits(predictions(predictor, batch), want));
        CHECK(fixture::same_bits(predictions(predictor, batch, 4), want));
        CHECK(fixture::same_bits(predictions(predictor, batch, pool), want));
      }
    }
  }
}

TEST_CASE("embedding: many threads predict with one network") {
  Mlp mlp(config_of(Loss::softmax_ce, 65));
  const auto batch = fixture::make_batch(mlp.config(), 100, 5);
  const Values want = predictions(mlp, batch);
  std::vector<Values> results(4);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < results.size(); ++i) {
    threads.emplace_back([&, i] {
      Predictor predictor(mlp, 65, i == 0 ? 2 : 1);
      for (int k = 0; k < 3; ++k) results[i] = predictions(predictor, batch);
    });
  }
  for (auto& thread : threads) thread.join();
  for (const Values& got : results) CHECK(fixture::same_bits(got, want));
}

TEST_CASE("embedding: a Predictor sees changes, survives moves and leaves no trace in the Mlp") {
  Mlp mlp(config_of(Loss::softmax_ce, 65));
  const auto batch = fixture::make_batch(mlp.config(), 65, 5);
  Predictor first(mlp, 65);
  Predictor predictor(std::move(first));
  const auto forward = fixture::copy_of(mlp.forward(batch.inputs(), 3));
  const Values before = predictions(predictor, batch);
  CHECK(fixture::same_bits(fixture::copy_of(mlp.a(3)), forward));
  fixture::randomise(mlp, 8);
  mlp.set_keep_prob(1, 0.25);
  const Values after = predictions(predictor, batch);
  CHECK(!fixture::same_bits(after, before));
  Mlp moved(std::move(mlp));
  CHECK(fixture::same_bits(predictions(predictor, batch), after));
  CHECK(fixture::same_bits(predictions(moved, batch), after));
}

TEST_CASE("embedding: misuse of a Predictor") {
  const Mlp mlp(config_of(Loss::softmax_ce, 65));
  test::expect_invalid("max_batch", "0", [&] { Predictor(mlp, 0); });
  test::expect_invalid("threads.count", "-2", [&] { Predictor(mlp, 5, -2); });
  CHECK_THROWS_AS(Predictor(mlp, ~std::size_t{0} / 2), std::bad_alloc);
  Predictor predictor(mlp, 5);
  const auto batch = fixture::make_batch(mlp.config(), 3, 5);
  Values out(30, 3.0F), other(30, 3.0F);
  const Matrix m{out.data(), 3, 10}, n{other.data(), 3, 10};
  test::expect_invalid("threads.count", "-2", [&] { predictor.predict(batch.inputs(), m, -2); });
  test::expect_invalid("x.cols", "59", [&] { predictor.predict({batch.x.data(), 3, 59}, m); });
  test::expect_invalid("samples", "0",
                       [&] { predictor.predict_monte_carlo(batch.inputs(), 0, m, n); });
  test::expect_invalid("variance", "mean",
                       [&] { predictor.predict_monte_carlo(batch.inputs(), 2, m, m); });
  CHECK(out == Values(30, 3.0F));
}
