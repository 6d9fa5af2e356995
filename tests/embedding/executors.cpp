// Executors instead of OpenMP: the same bits on any, and no pool can make a call hang.
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "embedding/workload.h"
#include "helpers/mlp_fixtures.h"
#include "helpers/parallel_region.h"
#include "helpers/pools.h"
#include "simdrop/mask.hpp"
#include "threading/parallel.h"

namespace {

using namespace simdrop;
using embedding::Bytes;
using test::Fault;
using test::FaultyExecutor;
using test::Order;
using test::QueuePool;
using test::SerialExecutor;

// What a team does wrong, of `size` members at most: each has a rank of its own, and behind a
// barrier sees what the others wrote before it.
int faults_of_team(const Threads& threads, std::size_t most) {
  std::atomic<int> wrong{0};
  std::vector<std::size_t> slots(most, 0);
  std::vector<std::atomic<int>> ranks(most);
  detail::parallel_team(threads, [&](const detail::TeamMember& member) {
    if (member.size > most || member.rank >= member.size || ++ranks[member.rank] != 1) {
      ++wrong;
      return;
    }
    for (std::size_t round = 1; round <= 300; ++round) {
      slots[member.rank] = round;
      member.barrier();
      for (std::size_t i = 0; i < member.size; ++i) wrong += slots[i] != round ? 1 : 0;
      member.barrier();
    }
  });
  return wrong + (ranks[0] == 1 ? 0 : 1);
}

}  // namespace

TEST_CASE("embedding: a pool computes the same bits, within what it has and a call asks for") {
  const Bytes want = embedding::everything(1);
  QueuePool pool(3);
  CHECK(embedding::everything(pool) == want);
  CHECK(pool.calls > 0);
  CHECK(pool.most == 4);
  CHECK(embedding::networks(pool, true) == embedding::networks(1));
  pool.most = 0;
  CHECK(embedding::everything({pool, 2}) == want);
  CHECK(pool.most == 2);
  pool.calls = 0;
  CHECK(embedding::everything({pool, 1}) == want);
  CHECK(pool.calls == 0);
}

TEST_CASE("embedding: an executor that runs one task after the other, in any order") {
  const Bytes want = embedding::everything(1);
  for (const Order order : {Order::forward, Order::backward}) {
    SerialExecutor serial(4, order);
    CHECK(embedding::everything(serial) == want);
    CHECK(serial.calls > 0);
    CHECK(faults_of_team(serial, 4) == 0);
  }
  for (const int claimed : {1, 0, -5}) {
    SerialExecutor alone(claimed);
    CHECK(embedding::everything(alone) == want);
    CHECK(alone.calls == 0);
  }
}

TEST_CASE("embedding: members of a pool's team wait for each other") {
  for (const int workers : {1, 3, 7}) {
    QueuePool pool(workers);
    const auto most = static_cast<std::size_t>(workers) + 1;
    for (int i = 0; i < 20; ++i) CHECK(faults_of_team(pool, most) == 0);
  }
}

TEST_CASE("embedding: a pool that is busy with something else") {
  const Bytes want = embedding::everything(1);
  QueuePool pool(3);
  std::atomic<bool> over{false};
  std::atomic<int> busy{0};
  struct Task {
    std::atomic<bool>& over;
    std::atomic<int>& busy;
  } task{over, busy};
  std::thread other([&] {
    pool.parallel_for(
        4,
        [](void* context, std::size_t) noexcept {
          const auto& t = *static_cast<Task*>(context);
          ++t.busy;
          t.over.wait(false);
        },
        &task);
  });
  while (busy < 4) std::this_thread::yield();
  CHECK(embedding::everything(pool) == want);
  over = true;
  over.notify_all();
  other.join();
}

TEST_CASE("embedding: one pool for many threads, and in a parallel region") {
  const Bytes want = embedding::networks(1);
  QueuePool pool(2);
  std::vector<Bytes> results(3);
  std::vector<std::thread> threads;
  for (Bytes& result : results) {
    threads.emplace_back([&] { result = embedding::networks(pool); });
  }
  for (auto& thread : threads) thread.join();
  for (const Bytes& got : results) CHECK(got == want);
  pool.calls = 0;
  test::in_parallel_region(
      3, [&](int rank) { results[static_cast<std::size_t>(rank)] = embedding::networks(pool); });
  for (const Bytes& got : results) CHECK(got == want);
  CHECK(pool.calls > 0);
}

TEST_CASE("embedding: an executor that leaves out tasks, or repeats one, is found out") {
  std::vector<std::uint8_t> mask(mask_bytes(300'000));
  auto config = fixture::make_config({60, 213, 129, 10}, Loss::softmax_ce, {1.0, 0.5, 0.5}, 65);
  const auto batch = fixture::make_batch(config, 65, 7);
  Mlp mlp(config);
  const auto want = fixture::copy_of(mlp.forward(batch.inputs(), 3));
  for (const Fault fault :
       {Fault::none_run, Fault::last_missing, Fault::first_twice, Fault::one_too_many}) {
    CAPTURE(static_cast<int>(fault));
    FaultyExecutor faulty(fault);
    CHECK_THROWS_WITH_AS(bernoulli_mask({}, 300'000, mask, faulty),
                         doctest::Contains("threads.executor"), std::runtime_error);
    CHECK_THROWS_WITH_AS(mlp.forward(batch.inputs(), 3, 0, faulty),
                         doctest::Contains("threads.executor"), std::runtime_error);
  }
  // The object is still good.
  CHECK(fixture::same_bits(fixture::copy_of(mlp.forward(batch.inputs(), 3)), want));
}

TEST_CASE("embedding: an executor's exception passes through") {
  std::vector<std::uint8_t> mask(mask_bytes(300'000));
  auto config = fixture::make_config({60, 213, 129, 10}, Loss::softmax_ce, {1.0, 0.5, 0.5}, 65);
  const auto batch = fixture::make_batch(config, 65, 7);
  Mlp mlp(config);
  Optimizer optimizer({}, mlp.parameter_sizes());
  for (const Fault fault : {Fault::throws_first, Fault::throws_last}) {
    FaultyExecutor throwing(fault);
    CHECK_THROWS_AS(bernoulli_mask({}, 300'000, mask, throwing), FaultyExecutor::Error);
    CHECK_THROWS_AS(mlp.train_step(batch.inputs(), batch.targets(), optimizer, 0, throwing),
                    FaultyExecutor::Error);
  }
}
