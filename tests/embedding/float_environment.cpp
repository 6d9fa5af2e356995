// Whatever the floating-point environment of the caller and of other threads is, results are those
// of the default one, and each thread gets its own back.
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <cfenv>
#include <cstring>
#include <functional>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "embedding/float_workload.h"
#include "helpers/expect_invalid.h"
#include "helpers/float_modes.h"
#include "helpers/mlp_fixtures.h"
#include "helpers/parallel_region.h"
#include "helpers/temporary_directory.h"
#include "helpers/test_sizes.h"
#include "simdrop/simdrop.hpp"

namespace {

using namespace simdrop;
using embedding::Bytes;
using embedding::FloatWork;
using test::FloatMode;

// A thread for each task but the first, each in a mode that its task must leave as it was.
class HostileThreads final : public Executor {
 public:
  explicit HostileThreads(const FloatMode& mode) : mode_(mode) {}
  [[nodiscard]] int max_concurrency() const noexcept override { return 3; }
  void parallel_for(std::size_t count, Task task, void* context) override {
    std::vector<std::thread> threads;
    for (std::size_t i = 1; i < count; ++i) {
      threads.emplace_back([this, task, context, i] { run(task, context, i); });
    }
    run(task, context, 0);
    for (auto& thread : threads) thread.join();
  }

  std::atomic<int> tasks{0}, changed{0};

 private:
  void run(Task task, void* context, std::size_t index) noexcept {
    const test::FloatModeScope scope(mode_);
    const auto before = test::float_controls();
    task(context, index);
    changed += test::float_controls() != before ? 1 : 0;
    ++tasks;
  }

  FloatMode mode_;
};

// What the work gives in a mode, which it must leave as it was.
Bytes in_mode(const FloatMode& mode, const FloatWork& work, const Threads& threads) {
  Bytes got;
  bool kept = false;
  {
    const test::FloatModeScope scope(mode);
    const auto before = test::float_controls();
    got = work.run(threads);
    kept = test::float_controls() == before;
  }
  CHECK(kept);
  return got;
}

// Where trying them takes long, the one that has everything.
std::vector<FloatMode> some_modes() {
  const auto& all = test::hostile_modes();
  return test::case_stride() > 1 ? std::vector{all.back()} : all;
}

// Of OpenMP's threads. Some end between regions: those that come after them are in no mode.
thread_local bool in_hostile_mode = false;

void set_openmp_threads(const FloatMode& mode) {
  test::in_parallel_region(3, [&](int /*rank*/) {
    test::set_float_mode(mode);
    in_hostile_mode = true;
  });
}

// How many of them are in another mode than this thread.
int reset_openmp_threads() {
  const auto want = test::float_controls();
  std::atomic<int> changed{0};
  test::in_parallel_region(3, [&](int /*rank*/) {
    changed += in_hostile_mode && test::float_controls() != want ? 1 : 0;
    test::set_default_float_mode();
    in_hostile_mode = false;
  });
  return changed;
}

}  // namespace

TEST_CASE("float environment: the modes of these tests are other modes") {
  const auto plain = test::float_controls();
  for (const FloatMode& mode : test::hostile_modes()) {
    std::vector<std::uint64_t> controls;
    {
      const test::FloatModeScope scope(mode);
      controls = test::float_controls();
    }
    CAPTURE(mode.name);
#if defined(__x86_64__)
    CHECK(controls != plain);
#else
    CHECK((mode.rounding == FE_TONEAREST || controls != plain));
#endif
    CHECK(test::float_controls() == plain);
  }
}

TEST_CASE("float environment: the same bits in every mode, on any number of threads") {
  for (const FloatWork& work : embedding::float_works()) {
    const Bytes want = work.run(1);
    for (const FloatMode& mode : some_modes()) {
      for (const int threads : {1, 2, 3}) {
        CAPTURE(work.name);
        CAPTURE(mode.name);
        CAPTURE(threads);
        CHECK(in_mode(mode, work, threads) == want);
      }
    }
  }
}

TEST_CASE("float environment: an executor whose threads have modes of their own") {
  for (const FloatMode& mode : some_modes()) {
    HostileThreads threads(mode);
    for (const FloatWork& work : embedding::float_works()) {
      CAPTURE(work.name);
      CAPTURE(mode.name);
      const Bytes want = work.run(1);
      CHECK(work.run(threads) == want);
      CHECK(in_mode(mode, work, threads) == want);
    }
    CHECK(threads.tasks > 0);
    CHECK(threads.changed == 0);
  }
}

TEST_CASE("float environment: OpenMP's threads have modes of their own") {
  for (const FloatMode& mode : some_modes()) {
    for (const FloatWork& work : embedding::float_works()) {
      const Bytes want = work.run(1);
      Bytes got;
      int changed = -1;
      {
        const test::FloatModeScope scope({.name = "default"});
        set_openmp_threads(mode);
        got = work.run(3);
        changed = reset_openmp_threads();
      }
      CAPTURE(work.name);
      CAPTURE(mode.name);
      CHECK(changed == 0);
      CHECK(got == want);
    }
  }
}

TEST_CASE("float environment: subnormal numbers, after a call on two threads") {
  constexpr std::size_t n = std::size_t{1} << 20;
  std::vector<float> x = fixture::uniform(n, 1);
  for (float& v : x) v *= 1e-39F;
  const Dropout dropout{.keep_prob = 0.5, .stream = {1, 2}};
  std::vector<float> want(n), one(n), two(n), all(n);
  dropout_forward(dropout, x, want, {.threads = 2});
  {
    const test::FloatModeScope scope(test::hostile_modes()[2]);
    dropout_forward(dropout, x, one, {.threads = 1});
    dropout_forward(dropout, x, two, {.threads = 2});
    dropout_forward({.keep_prob = 1.0}, x, all, {.threads = 2});
  }
  CHECK(std::ranges::count(want, 0.0F) < static_cast<std::ptrdiff_t>(n / 2 + n / 100));
  CHECK(fixture::same_bits(one, want));
  CHECK(fixture::same_bits(two, want));
  CHECK(fixture::same_bits(all, x));
}

TEST_CASE("float environment: errors are those of the default, and the mode stays") {
  const std::vector<float> x(64, 1.0F);
  std::vector<float> y(64);
  std::vector<std::uint8_t> mask(8);
  const test::TemporaryDirectory directory;
  Mlp mlp({.widths = {2, 3, 2}});
  Optimizer optimizer({.momentum = 0.9}, mlp);
  LinearWorkspace workspace;
  const Matrix out(y, 8, 8);
  const ConstMatrix in(x, 8, 8);
  const MlpConfig bad_network{.widths = {2, 2}, .input_keep_prob = -1e-310};
  const OptimizerConfig bad_optimizer{.weight_decay = -1e-310};
  const std::string file = directory.name("file");
  Mlp sigmoid({.widths = {8, 8}, .loss = Loss::sigmoid_bce, .max_batch = 8});
  Optimizer plain({}, sigmoid);
  std::vector<float> targets(64, 0.5F);
  targets[63] = -1e-45F;
  const std::vector<std::function<void()>> calls{
      // 1.3 is 1.3000000000000000444: the text depends on how it is rounded.
      [&] { bernoulli_mask({.keep_prob = 1.3}, 64, mask); },
      [&] { bernoulli_mask({.keep_prob = -1e-310}, 64, mask); },
      [&] { dropout_forward({.keep_prob = -1e-310}, x, y); },
      [&] { dropout_backward({.keep_prob = -1e-310}, x, y); },
      [&] { dropout_backward(-1e-310, mask, x, y); },
      [&] { residual_dropout_forward(-1e-310, mask, x, x, y); },
      [&] { bias_relu_dropout_forward(-1e-310, mask, x, {}, Matrix(y)); },
      [&] { relu_dropout_backward(-1e-310, x, x, y); },
      [&] { linear_forward(in, in, out, workspace, {.dropout = {.keep_prob = -1e-310}}); },
      [&] { linear_backward_input(in, in, out, workspace, {.keep_prob = -1e-310}); },
      [&] { Mlp made(bad_network); },
      [&] { Optimizer made(bad_optimizer, {1}); },
      [&] { mlp.set_keep_prob(1, -1e-310); },
      [&] { optimizer.set_learning_rate(-1e-310); },
      [&] { sigmoid.train_step(in, ConstMatrix(targets, 8, 8), plain); },
      [&] { static_cast<void>(sigmoid.loss_of(in, ConstMatrix(targets, 8, 8))); },
      [&] {
        save_checkpoint(file, mlp, &optimizer, {{"format", "mine"}});
      }};
  for (std::size_t i = 0; i < calls.size(); ++i) {
    CAPTURE(i);
    const std::string want = test::invalid_message(calls[i]);
    CHECK(!want.empty());
    for (const FloatMode& mode : test::hostile_modes()) {
      CAPTURE(mode.name);
      std::string got;
      bool kept = false;
      {
        const test::FloatModeScope scope(mode);
        const auto before = test::float_controls();
        got = test::invalid_message(calls[i]);
        kept = test::float_controls() == before;
      }
      CHECK(got == want);
      CHECK(kept);
    }
  }
}

// In the default environment they are what any arithmetic leaves; in another the caller's come
// back.
TEST_CASE("float environment: exception flags of another environment stay as they are") {
  const std::vector<float> x(64, 1.1F);
  std::vector<float> y(64);
  for (const FloatMode& mode : test::hostile_modes()) {
    if (mode.traps) continue;  // a flag would stop the program
    if (mode.rounding == FE_TONEAREST) {
#if !defined(__x86_64__)
      continue;  // may be the default
#endif
    }
    int flags[2] = {-1, -1};
    {
      const test::FloatModeScope scope(mode);
      dropout_forward({.keep_prob = 0.7}, x, y);
      flags[0] = std::fetestexcept(FE_ALL_EXCEPT);
      std::feraiseexcept(FE_OVERFLOW);
      const int raised = std::fetestexcept(FE_ALL_EXCEPT);
      dropout_forward({.keep_prob = 0.7}, x, y);
      flags[1] = std::fetestexcept(FE_ALL_EXCEPT) ^ raised;
    }
    CAPTURE(mode.name);
    CHECK(flags[0] == 0);
    CHECK(flags[1] == 0);
  }
}
