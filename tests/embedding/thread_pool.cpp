// The library's own pool.
#include <doctest/doctest.h>

#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdint>
#include <thread>
#include <vector>

#include "embedding/in_child.h"
#include "embedding/threads_that_run.h"
#include "embedding/workload.h"
#include "helpers/expect_invalid.h"
#include "helpers/test_sizes.h"
#include "simdrop/simdrop.h"
#include "simdrop/threads.hpp"
#include "threading/cpus.h"

namespace {

using namespace simdrop;
using embedding::Bytes;

// How often parallel_for(count) ran each of its tasks.
std::vector<int> runs_of_tasks(Executor& executor, std::size_t count) {
  std::vector<std::atomic<int>> runs(count);
  executor.parallel_for(
      count,
      [](void* context, std::size_t i) noexcept {
        ++(*static_cast<std::vector<std::atomic<int>>*>(context))[i];
      },
      &runs);
  return {runs.begin(), runs.end()};
}

}  // namespace

TEST_CASE("pool: each task once, of any number") {
  for (const int threads : {1, 2, 3, 70}) {
    ThreadPool pool(threads);
    CHECK(pool.max_concurrency() == threads);
    for (const std::size_t count : {0U, 1U, 2U, 3U, 63U, 64U, 65U, 130U, 1024U, 1025U, 5000U}) {
      CAPTURE(count);
      for (int i = 0; i < 20; ++i) CHECK(runs_of_tasks(pool, count) == std::vector<int>(count, 1));
    }
  }
}

// A thread that misses its end is waited for without end: it takes some 10 000 to see one.
TEST_CASE("pool: its threads end whatever they are about to do") {
  for (int i = 0; i < (test::case_stride() > 3 ? 500 : 30000); ++i) {
    ThreadPool pool(4);
    if (i % 2 == 0) CHECK(runs_of_tasks(pool, 4) == std::vector<int>(4, 1));
  }
}

TEST_CASE("pool: its threads run at once, and compute the same bits") {
  const Bytes want = embedding::everything(1);
  for (const int threads : {1, 2, 3, 5}) {
    ThreadPool pool(threads);
    CHECK(test::threads_that_run(pool, static_cast<std::size_t>(threads)) == threads);
    CHECK(embedding::everything(pool) == want);
    CHECK(embedding::everything({pool, 2}) == want);
  }
}

TEST_CASE("pool: as many threads as the process may use, and a bad number") {
  ThreadPool pool;
  CHECK(pool.max_concurrency() == static_cast<int>(detail::usable_cpus()));
  test::expect_invalid("count", "-1", [] { ThreadPool bad(-1); });
}

TEST_CASE("pool: many threads at once, and from its own tasks") {
  ThreadPool pool(3);
  const Bytes want = embedding::everything(1);
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      for (int k = 0; k < 200; ++k) {
        if (runs_of_tasks(pool, 5) != std::vector<int>(5, 1)) ++wrong;
      }
      if (embedding::everything(pool) != want) ++wrong;
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(wrong == 0);
  struct Nested {
    ThreadPool& pool;
    std::atomic<int> good{0};
  } nested{pool};
  pool.parallel_for(
      3,
      [](void* context, std::size_t) noexcept {
        auto& n = *static_cast<Nested*>(context);
        if (runs_of_tasks(n.pool, 4) == std::vector<int>(4, 1)) ++n.good;
      },
      &nested);
  CHECK(nested.good == 3);
}

// In a process that has no threads of anybody else: a child, which cannot start threads everywhere.
TEST_CASE("pool: its threads take none of the program's signals" *
          doctest::skip(!test::children_may_start_threads())) {
  const auto signals_elsewhere = [] {
    static std::atomic<int> others{0};
    static pthread_t main_thread;
    main_thread = pthread_self();
    struct sigaction action {};
    action.sa_handler = [](int) {
      if (pthread_equal(pthread_self(), main_thread) == 0) ++others;
    };
    if (sigaction(SIGUSR1, &action, nullptr) != 0) return 100;
    ThreadPool pool(4);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
    for (int i = 0; i < 100; ++i) {
      kill(getpid(), SIGUSR1);  // any thread that does not block it would take it
      runs_of_tasks(pool, 4);
    }
    return others.load();
  };
  CHECK(test::in_child(signals_elsewhere) == 0);
}

TEST_CASE("pool: in C") {
  simdrop_thread_pool* pool = nullptr;
  simdrop_error error = SIMDROP_ERROR_INIT;
  CHECK(simdrop_thread_pool_create(-1, &pool, &error) == SIMDROP_INVALID_ARGUMENT);
  CHECK(simdrop_thread_pool_create(3, nullptr, &error) == SIMDROP_INVALID_ARGUMENT);
  REQUIRE(simdrop_thread_pool_create(3, &pool, &error) == SIMDROP_OK);
  simdrop_executor executor{};
  CHECK(simdrop_thread_pool_executor(nullptr, &executor, sizeof executor, &error) ==
        SIMDROP_INVALID_ARGUMENT);
  CHECK(simdrop_thread_pool_executor(pool, nullptr, sizeof executor, &error) ==
        SIMDROP_INVALID_ARGUMENT);
  REQUIRE(simdrop_thread_pool_executor(pool, &executor, sizeof executor, &error) == SIMDROP_OK);
  CHECK(executor.max_concurrency == 3);
  simdrop_exec exec{};
  REQUIRE(simdrop_exec_init(&exec, sizeof exec, &error) == SIMDROP_OK);
  exec.num_threads = 0;
  constexpr std::int64_t n = 300'000;
  simdrop_dropout dropout{};
  REQUIRE(simdrop_dropout_init(&dropout, sizeof dropout, &error) == SIMDROP_OK);
  std::vector<std::uint8_t> one(n / 8), three(n / 8);
  REQUIRE(simdrop_bernoulli_mask(&dropout, n, one.data(), nullptr, &error) == SIMDROP_OK);
  exec.executor = &executor;
  REQUIRE(simdrop_bernoulli_mask(&dropout, n, three.data(), &exec, &error) == SIMDROP_OK);
  CHECK(one == three);
  simdrop_thread_pool_destroy(pool);
  simdrop_thread_pool_destroy(nullptr);
  const simdrop_status status = simdrop_openmp_executor(&executor, sizeof executor, &error);
  CHECK(status == (openmp_executor() != nullptr ? SIMDROP_OK : SIMDROP_INVALID_STATE));
}
