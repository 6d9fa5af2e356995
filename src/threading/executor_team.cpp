#include "threading/executor_team.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>

#include "base/float_environment.h"
#include "base/no_cancellation.h"
#include "simdrop/threads.hpp"
#include "threading/barrier.h"
#include "threading/team.h"
#include "threading/together.h"
#include "threading/wait.h"

namespace simdrop {

Executor::~Executor() = default;

namespace detail {
namespace {

using Clock = std::chrono::steady_clock;
using Nanoseconds = std::chrono::nanoseconds;

// Which tasks an executor has called.
class TaskLog {
 public:
  explicit TaskLog(std::size_t count) noexcept : count_(count) {}

  // Whether this is the first call of a task that there is.
  bool first_call(std::size_t index) noexcept {
    if (index < count_) {
      const std::uint64_t bit = std::uint64_t{1} << (index % 64);
      const auto before = called_[index / 64].fetch_or(bit, std::memory_order_relaxed);
      if ((before & bit) == 0) return true;
    }
    wrong_.store(true, std::memory_order_relaxed);
    return false;
  }

  void done() noexcept { done_.fetch_add(1, std::memory_order_release); }

  // After Executor::parallel_for().
  void check() const {
    const std::size_t done = done_.load(std::memory_order_acquire);
    if (done == count_ && !wrong_.load(std::memory_order_relaxed)) return;
    throw std::runtime_error(
        "simdrop: threads.executor did not run each of its tasks once: parallel_for() returned "
        "after " +
        std::to_string(done) + " of " + std::to_string(count_));
  }

 private:
  std::size_t count_;
  std::array<std::atomic<std::uint64_t>, max_team / 64> called_{};
  std::atomic<std::size_t> done_{0};
  std::atomic<bool> wrong_{false};
};

// How long tasks were busy, all together.
class BusyTime {
 public:
  void add(Nanoseconds time) noexcept { sum_.fetch_add(time.count(), std::memory_order_relaxed); }
  [[nodiscard]] Nanoseconds sum() const noexcept {
    return Nanoseconds(sum_.load(std::memory_order_relaxed));
  }

 private:
  std::atomic<Nanoseconds::rep> sum_{0};
};

struct RangesRun {
  std::size_t n, grain, parts;
  RangeFn fn;
  void* context;
  TaskLog log{parts};
  BusyTime time{};

  void task(std::size_t index) noexcept {
    const DefaultFloats floats;
    if (!log.first_call(index)) return;
    const auto begin = Clock::now();
    const Range range = share(n, grain, index, parts);
    if (!range.empty()) fn(context, range.begin, range.end);
    time.add(Clock::now() - begin);
    log.done();
  }
  [[nodiscard]] Nanoseconds busy() const noexcept { return time.sum(); }
};

struct TeamRun {
  std::size_t max_size;
  MemberFn fn;
  void* context;
  Nanoseconds join_time;
  TaskLog log{max_size};
  std::atomic<std::uint32_t> joined{0};  // members, and whether it is closed
  std::atomic<std::uint32_t> size{0};    // 0 until it is closed
  TeamBarrier barrier{};
  Patience patience{};
  BusyTime time{};

  static constexpr std::uint32_t closed = std::uint32_t{1} << 31;

  // By the first member.
  void form_team() noexcept {
    const auto all_came = [&] { return joined.load(std::memory_order_relaxed) >= max_size; };
    if (join_time.count() > 0) spin(join_time, all_came);
    size.store(joined.fetch_or(closed, std::memory_order_acq_rel), std::memory_order_release);
    size.notify_all();
  }

  void task(std::size_t index) noexcept {
    const DefaultFloats floats;
    if (!log.first_call(index)) return;
    const std::uint32_t place = joined.fetch_add(1, std::memory_order_acq_rel);
    if ((place & closed) == 0) {
      if (place == 0) form_team();
      wait_until(
          size, [](std::uint32_t formed) { return formed != 0; }, patience);
      const auto begin = Clock::now();
      const std::size_t members = size.load(std::memory_order_acquire);
      // The same rank in each call, where a pool gives a thread the same task: it has in its cache
      // what it worked on.
      fn(context, {members == max_size ? index : place, members, &barrier});
      time.add(Clock::now() - begin);
    }
    log.done();
  }
  [[nodiscard]] Nanoseconds busy() const noexcept { return time.sum() - barrier.waited(); }
};

template <class Run>
void run_on(Executor& executor, std::size_t count, Together& together, Run& run) {
  const NoCancellation whole;  // an application's executor may wait where a thread can be cancelled
  const auto begin = Clock::now();
  executor.parallel_for(
      count,
      [](void* context, std::size_t index) noexcept { static_cast<Run*>(context)->task(index); },
      &run);
  run.log.check();
  together.took(Clock::now() - begin, run.busy());
}

}  // namespace

std::size_t executor_size(const Threads& threads, std::size_t max_size) noexcept {
  const int has = threads.executor->max_concurrency();
  const int wanted = threads.count > 0 ? std::min(threads.count, has) : has;
  return std::clamp<std::size_t>(static_cast<std::size_t>(std::max(wanted, 1)), 1, max_size);
}

void executor_ranges(Executor& executor, Together& together, std::size_t n, std::size_t grain,
                     std::size_t parts, RangeFn fn, void* context) {
  RangesRun run{n, grain, parts, fn, context};
  run_on(executor, parts, together, run);
}

void executor_team(Executor& executor, Together& together, std::size_t size, MemberFn fn,
                   void* context) {
  TeamRun run{size, fn, context, together.join_time()};
  run_on(executor, size, together, run);
}

}  // namespace detail
}  // namespace simdrop
