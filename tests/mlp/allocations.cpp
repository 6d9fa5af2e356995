// After the first call of each kind the MLP allocates nothing.
#include <doctest/doctest.h>

#include <cstddef>
#include <new>
#include <vector>

#include "helpers/count_allocations.h"
#include "helpers/mlp_fixtures.h"
#include "helpers/pools.h"
#include "helpers/test_sizes.h"
#include "simdrop/predictor.hpp"

namespace {

using namespace simdrop;
using test::allocations_in;

void check_config(const MlpConfig& config, const OptimizerConfig& optimizer_config) {
  Mlp mlp(config);
  Optimizer optimizer(optimizer_config, mlp.parameter_sizes());
  const auto batch = fixture::make_batch(config, config.max_batch, 1);
  const auto part = batch.slice(0, config.max_batch / 2);
  const auto targets = batch.targets();
  const auto part_targets = part.targets();
  std::vector<float> out(batch.rows * batch.outputs);
  std::vector<float> spread(out.size());
  const Matrix predictions{out.data(), batch.rows, batch.outputs};
  const Matrix few{out.data(), part.rows, batch.outputs};
  const auto work = [&] {
    mlp.train_step(batch.inputs(), targets, optimizer);
    mlp.forward(part.inputs(), 1);
    mlp.backward(part_targets);
    mlp.predict(batch.inputs(), predictions);
    mlp.predict(part.inputs(), few);
    mlp.predict_monte_carlo(batch.inputs(), 3, predictions,
                            {spread.data(), batch.rows, batch.outputs});
    mlp.predict_monte_carlo(part.inputs(), 7, few, {spread.data(), part.rows, batch.outputs});
    mlp.forward(batch.inputs(), 2);
    mlp.backward(targets);
  };
  work();
  CHECK(allocations_in(work) == 0);
  CHECK(allocations_in(work) == 0);
}

// The first step may keep few units: what it needs no memory for, a later one must not ask for.
void check_units(const MlpConfig& config) {
  Mlp mlp(config);
  Optimizer optimizer({.kind = OptimizerKind::adam}, mlp.parameter_sizes());
  const auto batch = fixture::make_batch(config, config.max_batch, 1);
  const auto targets = batch.targets();
  std::uint64_t step = 0;
  const auto work = [&] {
    for (int i = 0; i < 3; ++i) mlp.train_step(batch.inputs(), targets, optimizer);
    mlp.forward(batch.inputs(), ++step);
    mlp.backward(targets);
  };
  const auto keep = [&](double keep_prob) {
    for (std::size_t l = 0; l < mlp.num_layers(); ++l) mlp.set_keep_prob(l, keep_prob);
  };
  keep(0.01);
  work();
  for (const double keep_prob : {0.01, 0.5, 1.0, 0.0, 0.99}) {
    CAPTURE(keep_prob);
    CHECK(allocations_in([&] { keep(keep_prob); }) == 0);
    CHECK(allocations_in(work) == 0);
  }
  for (const double probability : {0.0, 0.3, 1.0}) {
    for (std::size_t l = 0; l < mlp.num_layers(); ++l) {
      mlp.inject_mask(l, fixture::random_bits(config.widths[l], probability, 3));
    }
    CHECK(allocations_in(work) == 0);
  }
}

}  // namespace

// Calls, not new-expressions: those a compiler may leave out.
TEST_CASE("allocations: the counter counts") {
  CHECK(allocations_in([] { ::operator delete(::operator new(40)); }) == 1);
  constexpr std::align_val_t line{64};
  CHECK(allocations_in([] { ::operator delete(::operator new(640, line), line); }) == 1);
}

TEST_CASE("allocations: none after the first step, on one thread and on two") {
  const OptimizerConfig optimizers[] = {{},
                                        {.momentum = 0.9, .nesterov = true},
                                        {.kind = OptimizerKind::adamw},
                                        {.momentum = 0.9, .max_norm = 0.5},
                                        {.kind = OptimizerKind::adam, .max_norm = 0.5}};
  std::size_t index = 0;
  for (const int threads : {1, 2}) {
    for (const Loss loss : fixture::all_losses) {
      for (const bool record : {false, true}) {
        for (const OptimizerConfig& optimizer : optimizers) {
          if (index++ % test::case_stride() != 0) continue;
          auto config = fixture::make_config({70, 300, 129, 10}, loss, {0.8, 0.5, 1.0}, 80);
          config.num_threads = threads;
          config.record = record;
          check_config(config, optimizer);
        }
      }
    }
  }
}

TEST_CASE("allocations: none after the first step on an executor") {
  test::QueuePool pool(2);
  for (const DropoutUnit unit : {DropoutUnit::element, DropoutUnit::neuron}) {
    auto config = fixture::make_config({70, 300, 129, 10}, Loss::softmax_ce, {0.8, 0.5, 1.0}, 80);
    config.num_threads = 0;
    config.executor = &pool;
    config.dropout_unit = unit;
    check_config(config, {.momentum = 0.9});
  }
  CHECK(pool.most == 3);
}

TEST_CASE("allocations: threads of a call are paid for once") {
  const auto config = fixture::make_config({70, 300, 10}, Loss::softmax_ce, {0.8, 0.5}, 80);
  test::QueuePool pool(3);
  Mlp mlp(config);
  Predictor predictor(mlp, 80);
  const auto batch = fixture::make_batch(config, 80, 1);
  std::vector<float> out(800);
  const Matrix predictions{out.data(), 80, 10};
  CHECK(allocations_in([&] { predictor.predict(batch.inputs(), predictions); }) == 0);
  const auto work = [&] {
    mlp.forward(batch.inputs(), 1, 0, 2);
    mlp.predict(batch.inputs(), predictions, pool);
    predictor.predict(batch.inputs(), predictions, pool);
  };
  CHECK(allocations_in(work) > 0);
  CHECK(allocations_in(work) == 0);
  // Room that cannot be made is missed before anything is written.
  out.assign(800, 3.0F);
  test::SerialExecutor more(9);
  bool refused = false;
  test::refuse_allocations(1);
  try {
    predictor.predict(batch.inputs(), predictions, more);
  } catch (const std::bad_alloc&) {
    refused = true;
  }
  test::refuse_allocations(0);
  CHECK(refused);
  CHECK(out == std::vector<float>(800, 3.0F));
}

TEST_CASE("allocations: none whatever units a step keeps") {
  for (const int threads : {1, 2}) {
    for (const bool lazy : {false, true}) {
      for (const bool record : {false, true}) {
        if (record != lazy && test::case_stride() > 3) continue;
        auto config =
            fixture::make_config({70, 300, 129, 10}, Loss::softmax_ce, {0.8, 0.5, 1.0}, 80);
        config.num_threads = threads;
        config.record = record;
        config.dropout_unit = DropoutUnit::neuron;
        config.lazy_updates = lazy;
        check_config(config, {.momentum = 0.9, .max_norm = 0.5});
        check_units(config);
        if (lazy) continue;
        config.dropout_group = 16;
        check_config(config, {.momentum = 0.9, .max_norm = 0.5});
      }
    }
  }
}
