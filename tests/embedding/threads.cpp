// Called from many threads at once, from a parallel region, on per-call numbers of threads: the
// same bits as on one, and nothing of the process is changed.
#include <doctest/doctest.h>

#include <cfenv>
#include <limits>
#include <thread>
#include <vector>

#include "embedding/workload.h"
#include "helpers/expect_invalid.h"
#include "helpers/mlp_fixtures.h"
#include "helpers/parallel_region.h"
#include "helpers/pools.h"
#include "helpers/test_sizes.h"
#include "simdrop/dropout.hpp"
#include "threading/parallel.h"

namespace {

using namespace simdrop;
using embedding::Bytes;

// What fn(i) gives on each of n threads that run at once.
template <class Fn>
std::vector<Bytes> on_threads(int n, Fn fn) {
  std::vector<Bytes> results(static_cast<std::size_t>(n));
  std::vector<std::thread> threads;
  for (int i = 0; i < n; ++i) {
    threads.emplace_back([&, i] { results[static_cast<std::size_t>(i)] = fn(i); });
  }
  for (auto& thread : threads) thread.join();
  return results;
}

// The rounding mode, the control word where there is one, and whether subnormal numbers are lost.
std::vector<int> floating_point() {
  std::vector<int> state{std::fegetround()};
#ifdef __SSE__
  constexpr unsigned sticky = 0x3F;  // exceptions that have happened
  state.push_back(static_cast<int>(__builtin_ia32_stmxcsr() & ~sticky));
#endif
  const volatile double smallest = std::numeric_limits<double>::min();
  const volatile double half = smallest / 2;
  state.push_back(half > 0.0 && half * 2 == smallest ? 1 : 0);
  return state;
}

}  // namespace

TEST_CASE("embedding: the same bits on any number of threads, 0 among them") {
  const Bytes want = embedding::everything(1);
  for (const int count : {0, 2, 3, 5}) {
    CAPTURE(count);
    CHECK(embedding::everything(count) == want);
  }
}

TEST_CASE("embedding: many threads at once, each with objects of its own") {
  const Bytes want = embedding::everything(1);
  for (const Bytes& got : on_threads(4, [](int i) { return embedding::everything(1 + i % 3); })) {
    CHECK(got == want);
  }
}

TEST_CASE("embedding: in a parallel region of OpenMP's") {
  const Bytes want = embedding::everything(1);
  std::vector<Bytes> results(4);
  test::in_parallel_region(4, [&](int rank) {
    results[static_cast<std::size_t>(rank)] = embedding::everything(rank == 0 ? 0 : 8);
  });
  for (const Bytes& got : results) CHECK(got == want);
}

TEST_CASE("embedding: a call's own number of threads, more or less than the object's") {
  const Bytes want = embedding::networks(1);
  for (const int count : {0, 1, 2, 7}) {
    CAPTURE(count);
    CHECK(embedding::networks(count, true) == want);
  }
  auto config = fixture::make_config({60, 213, 10}, Loss::softmax_ce, {1.0, 0.5}, 65);
  config.num_threads = 2;
  Mlp mlp(config);
  const auto batch = fixture::make_batch(config, 65, 7);
  const auto output = fixture::copy_of(mlp.forward(batch.inputs(), 1));
  for (const int count : {5, 1, 0, 8, 2}) {
    CHECK(fixture::same_bits(fixture::copy_of(mlp.forward(batch.inputs(), 1, 0, count)), output));
    CHECK(mlp.config().num_threads == 2);
  }
}

TEST_CASE("embedding: a bad number of threads of one call, and nothing is written") {
  const auto config = fixture::make_config({6, 21, 10}, Loss::softmax_ce, {1.0, 0.5}, 5);
  Mlp mlp(config);
  Optimizer optimizer({}, mlp.parameter_sizes());
  const auto batch = fixture::make_batch(config, 5, 7);
  const auto before = fixture::parameters(mlp);
  std::vector<float> out(50, 3.0F), other(50, 3.0F);
  const Matrix m{out.data(), 5, 10}, n{other.data(), 5, 10};
  const auto bad = [](auto fn) { test::expect_invalid("threads.count", "-1", fn); };
  bad([&] { mlp.train_step(batch.inputs(), batch.targets(), optimizer, 0, -1); });
  bad([&] { mlp.forward(batch.inputs(), 0, 0, -1); });
  bad([&] { mlp.predict(batch.inputs(), m, -1); });
  bad([&] { mlp.predict_monte_carlo(batch.inputs(), 3, m, n, 0, 0, -1); });
  CHECK_THROWS_AS(mlp.backward(batch.targets()), std::logic_error);  // there was no forward
  mlp.forward(batch.inputs(), 0);
  bad([&] { mlp.backward(batch.targets(), -1); });
  CHECK(optimizer.step_count() == 0);
  CHECK(fixture::same_bits(fixture::parameters(mlp), before));
  CHECK(out == std::vector<float>(50, 3.0F));
  CHECK(other == std::vector<float>(50, 3.0F));
}

TEST_CASE("embedding: nothing of the process is changed, and the rounding mode is the caller's") {
  const auto openmp = test::openmp_settings();
  const auto state = floating_point();
  embedding::everything(3);
  CHECK(test::openmp_settings() == openmp);
  CHECK(floating_point() == state);
  std::fesetround(FE_UPWARD);
  const auto upward = floating_point();
  embedding::kernels(3);
  CHECK(floating_point() == upward);
  std::fesetround(FE_TONEAREST);
  CHECK(upward != state);
}
