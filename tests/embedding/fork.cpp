// A child process of one whose threads were used computes the same, and does not hang.
#include <doctest/doctest.h>

#include <atomic>
#include <memory>
#include <thread>

#include "embedding/in_child.h"
#include "embedding/threads_that_run.h"
#include "embedding/workload.h"
#include "helpers/pools.h"
#include "helpers/test_sizes.h"
#include "simdrop/threads.hpp"

namespace {

using namespace simdrop;
using embedding::Bytes;
using test::in_child;

// qemu-user loses count of its own threads where the child of a process with threads starts some:
// such cases are left out under it.

}  // namespace

TEST_CASE("embedding: a child process after fork, and its child" *
          doctest::skip(!test::children_may_start_threads())) {
  const Bytes want = embedding::everything(3);
  const auto works = [&] {
    test::SerialExecutor serial(3);
    return embedding::everything(3) == want && embedding::everything(0) == want &&
           embedding::everything(serial) == want;
  };
  CHECK(in_child([&] { return works() ? 5 : 6; }) == 5);
  CHECK(in_child([&] { return in_child([&] { return works() ? 7 : 8; }); }) == 7);
  CHECK(embedding::everything(3) == want);
}

TEST_CASE("embedding: a child asks OpenMP for no threads, and its parent still does") {
  Executor* openmp = openmp_executor();
  if (openmp == nullptr) return;
  const Bytes want = embedding::everything(3);
  CHECK(embedding::everything({*openmp, 3}) == want);
  const int parent = openmp->max_concurrency();
  CHECK(in_child([&] { return openmp->max_concurrency(); }) == 1);
  CHECK(in_child([&] { return embedding::everything({*openmp, 3}) == want ? 5 : 6; }) == 5);
  CHECK(openmp->max_concurrency() == parent);
}

TEST_CASE("embedding: a pool in a child, which has threads of its own there" *
          doctest::skip(!test::children_may_start_threads())) {
  const Bytes want = embedding::everything(3);
  ThreadPool pool(3);
  CHECK(embedding::everything(pool) == want);
  CHECK(in_child([&] { return test::threads_that_run(pool, 3); }) == 3);
  CHECK(in_child([&] {
          return in_child([&] { return embedding::everything(pool) == want ? 5 : 6; }) == 5 ? 7 : 8;
        }) == 7);
  // Destroyed in a child: it must not wait for its parent's threads.
  const auto destroys = [](bool used) {
    auto own = std::make_unique<ThreadPool>(3);
    return in_child([&] {
      if (used) test::threads_that_run(*own, 3);
      own.reset();
      return 9;
    });
  };
  CHECK(destroys(false) == 9);
  CHECK(destroys(true) == 9);
}

TEST_CASE("embedding: a child that is made while another thread computes" *
          doctest::skip(!test::children_may_start_threads())) {
  const Bytes want = embedding::everything(3);
  ThreadPool pool(3);
  std::atomic<bool> over{false};
  std::thread other([&] {
    while (!over) embedding::kernels(pool);
  });
  for (int i = 0; i < 5; ++i) {
    CHECK(in_child([&] { return embedding::everything(pool) == want ? 5 : 6; }) == 5);
  }
  over = true;
  other.join();
}
