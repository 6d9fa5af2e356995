// A thread is cancelled in the middle of a call: the call is done first.
#include <doctest/doctest.h>

#include <pthread.h>
#include <sched.h>
#include <time.h>

#include <atomic>
#include <functional>
#include <optional>
#include <string>

#include "helpers/c_api_network.h"
#include "helpers/mlp_fixtures.h"
#include "helpers/temporary_directory.h"
#include "helpers/test_sizes.h"
#include "simdrop/checkpoint.hpp"

namespace {

using namespace simdrop;

// Calls `call` for ever; the only cancellation point of its own is between two calls.
struct Loop {
  std::function<void()> call;
  std::atomic<bool> inside{false};
  std::atomic<int> calls{0};

  static void* run(void* self) {
    auto& loop = *static_cast<Loop*>(self);
    while (true) {
      loop.inside = true;
      loop.call();
      loop.inside = false;
      ++loop.calls;
      pthread_testcancel();
    }
    return nullptr;
  }
};

// Cancels a thread that repeats `call`, `delay` microseconds after its first call.
void cancel(const std::function<void()>& call, long delay_us) {
  Loop loop{call};
  pthread_t thread{};
  REQUIRE(pthread_create(&thread, nullptr, Loop::run, &loop) == 0);
  while (loop.calls == 0) sched_yield();
  const timespec delay{0, delay_us * 1000};
  nanosleep(&delay, nullptr);
  REQUIRE(pthread_cancel(thread) == 0);
  void* result = nullptr;
  REQUIRE(pthread_join(thread, &result) == 0);
  CHECK(result == PTHREAD_CANCELED);
  CHECK(!loop.inside);
}

void cancel_often(const std::function<void()>& call) {
  const auto stride = static_cast<int>(test::case_stride());
  for (int i = 0; i < 20; i += stride) cancel(call, 37 * i);
}

MlpConfig config() {
  return fixture::make_config({200, 300, 10}, Loss::softmax_ce, {0.8, 0.5}, 64);
}

}  // namespace

TEST_CASE("failures: a thread that is cancelled while it saves or loads") {
  const test::TemporaryDirectory dir;
  const std::string path = dir.name("f");
  const Mlp mlp(config());
  const auto whole = [&] {
    const Checkpoint loaded = load_checkpoint(path, config());
    CHECK(fixture::same_bits(fixture::parameters(loaded.mlp), fixture::parameters(mlp)));
    CHECK(dir.entries() == 1);
  };
  cancel_often([&] { save_checkpoint(path, mlp); });
  whole();
  cancel_often([&] { (void)load_checkpoint(path, config()); });
  whole();
}

TEST_CASE("failures: a thread that is cancelled in the C interface") {
  const test::TemporaryDirectory dir;
  const std::string path = dir.name("f");
  const auto given = c_api::make_config();
  const auto mlp = c_api::create(given);
  std::atomic<int> errors{0};
  const auto check = [&](simdrop_status status) { errors += status == SIMDROP_OK ? 0 : 1; };
  cancel_often([&] { check(simdrop_mlp_save(path.c_str(), mlp.get(), nullptr, nullptr)); });
  CHECK(dir.entries() == 1);
  cancel_often([&] {
    simdrop_mlp* loaded = nullptr;
    check(simdrop_mlp_load(path.c_str(), &given, &loaded, nullptr, nullptr));
    simdrop_mlp_destroy(loaded);
  });
  CHECK(errors == 0);
}

TEST_CASE("failures: a thread that is cancelled while it computes, and waits for its team") {
  for (const int threads : {1, 2}) {
    Mlp mlp(config());
    Mlp same = mlp.clone();
    Optimizer optimizer({.momentum = 0.9}, mlp);
    Optimizer other = optimizer;
    const auto batch = fixture::make_batch(config(), 64, 1);
    cancel_often(
        [&] { mlp.train_step(batch.inputs(), batch.targets(), optimizer, {.threads = threads}); });
    // Each step was begun, done, or never made.
    while (other.step_count() < optimizer.step_count()) {
      same.train_step(batch.inputs(), batch.targets(), other);
    }
    CHECK(fixture::same_bits(fixture::parameters(mlp), fixture::parameters(same)));
  }
}

TEST_CASE("failures: a thread that is cancelled while it makes, uses and ends a pool") {
  const auto batch = fixture::make_batch(config(), 64, 1);
  Mlp mlp(config());
  Optimizer optimizer({}, mlp);
  cancel_often([&] {
    ThreadPool pool(2);
    mlp.train_step(batch.inputs(), batch.targets(), optimizer, {.threads = pool});
  });
  // Nothing of it is broken.
  ThreadPool pool(2);
  mlp.train_step(batch.inputs(), batch.targets(), optimizer, {.threads = pool});
}
