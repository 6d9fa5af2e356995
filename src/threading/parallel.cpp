#include "threading/parallel.h"

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "threading/barrier.h"
#include "threading/cpus.h"
#include "threading/executor_team.h"
#include "threading/never_destroyed.h"
#include "threading/openmp.h"
#include "threading/pool.h"
#include "threading/together.h"

namespace simdrop::detail {
namespace {

// The library's own threads, for calls that name no executor.
class DefaultPool final : public Executor {
 public:
  [[nodiscard]] int max_concurrency() const noexcept override { return max_team; }
  void parallel_for(std::size_t count, Task task, void* context) override {
    default_pool().run(count, task, context);
  }
};

// Who runs a call, and whether shared calls have paid there. Of an application's executor nothing
// is remembered: it is asked each time.
class Runner {
 public:
  explicit Runner(const Threads& threads) noexcept {
    executor_ = threads.executor;
    if (executor_ == nullptr && openmp_is_set_up()) executor_ = openmp_executor();
    if (executor_ == nullptr) {
      executor_ = &never_destroyed<DefaultPool>();
      together_ = &default_pool().together();
    } else if (auto* pool = dynamic_cast<ThreadPool*>(executor_); pool != nullptr) {
      together_ = &PoolAccess::pool(*pool).together();
    }
  }
  [[nodiscard]] Executor& executor() const noexcept { return *executor_; }
  [[nodiscard]] Together& together() noexcept { return *together_; }

 private:
  Executor* executor_;
  Together of_this_call_;
  Together* together_ = &of_this_call_;
};

// What would not pay to share.
template <class Fn>
void alone(Together& together, Fn fn) noexcept {
  const auto begin = std::chrono::steady_clock::now();
  fn();
  const auto time = std::chrono::steady_clock::now() - begin;
  together.took(time, time);
}

std::size_t threads_by_default() noexcept {
  // OpenMP counts the CPUs itself, where it can be asked: it may have bound this thread to one.
  const std::size_t by_openmp = openmp_threads();
  return by_openmp == SIZE_MAX ? usable_cpus() : std::min(by_openmp, cpu_quota());
}

}  // namespace

std::size_t largest_team(const Threads& threads) noexcept {
  if (threads.executor != nullptr) return executor_size(threads, max_team);
  const std::size_t count =
      threads.count > 0 ? static_cast<std::size_t>(threads.count) : threads_by_default();
  return std::clamp<std::size_t>(count, 1, max_team);
}

std::size_t team_size(const Threads& threads) noexcept {
  const std::size_t team = largest_team(threads);
  if (team == 1 || threads.executor != nullptr) return team;
  return in_openmp_region() ? 1 : team;
}

void parallel_ranges(std::size_t n, std::size_t grain, const Threads& threads, RangeFn fn,
                     void* context) {
  if (n == 0) return;
  const std::size_t grains = (n + grain - 1) / grain;
  const std::size_t team = grains == 1 ? 1 : std::min(team_size(threads), grains);
  if (team == 1) {
    fn(context, 0, n);
    return;
  }
  Runner runner(threads);
  if (runner.together().pays()) {
    executor_ranges(runner.executor(), runner.together(), n, grain, team, fn, context);
    return;
  }
  alone(runner.together(), [&] { fn(context, 0, n); });
}

void TeamMember::barrier() const noexcept {
  if (size > 1) team_barrier->wait(size);
}

void parallel_team(const Threads& threads, MemberFn fn, void* context) {
  const std::size_t team = team_size(threads);
  if (team == 1) {
    fn(context, {});
    return;
  }
  Runner runner(threads);
  if (runner.together().pays()) {
    executor_team(runner.executor(), runner.together(), team, fn, context);
    return;
  }
  alone(runner.together(), [&] { fn(context, {}); });
}

}  // namespace simdrop::detail
