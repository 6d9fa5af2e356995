#include "threading/executor_team.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <thread>

#include "base/float_environment.h"
#include "simdrop/threads.hpp"
#include "threading/barrier.h"
#include "threading/team.h"

namespace simdrop {

Executor::~Executor() = default;

namespace detail {
namespace {

// A pool's threads wake up within some 50 microseconds; a step on one thread takes longer.
constexpr std::chrono::microseconds join_timeout{100};

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

struct RangesRun {
  std::size_t n, grain, parts;
  RangeFn fn;
  void* context;
  TaskLog log{parts};

  void task(std::size_t index) noexcept {
    const DefaultFloats floats;
    if (!log.first_call(index)) return;
    const Range range = share(n, grain, index, parts);
    if (!range.empty()) fn(context, range.begin, range.end);
    log.done();
  }
};

struct TeamRun {
  std::size_t max_size;
  MemberFn fn;
  void* context;
  TaskLog log{max_size};
  std::atomic<std::uint32_t> joined{0};  // members, and whether it is closed
  std::atomic<std::uint32_t> size{0};    // 0 until it is closed
  TeamBarrier barrier{};

  static constexpr std::uint32_t closed = std::uint32_t{1} << 31;

  // By the first member.
  void form_team() noexcept {
    const auto deadline = std::chrono::steady_clock::now() + join_timeout;
    while (joined.load(std::memory_order_relaxed) < max_size &&
           std::chrono::steady_clock::now() < deadline) {
      std::this_thread::yield();
    }
    size.store(joined.fetch_or(closed, std::memory_order_acq_rel), std::memory_order_release);
    size.notify_all();
  }

  void task(std::size_t index) noexcept {
    const DefaultFloats floats;
    if (!log.first_call(index)) return;
    const std::uint32_t rank = joined.fetch_add(1, std::memory_order_acq_rel);
    if ((rank & closed) == 0) {
      if (rank == 0) form_team();
      size.wait(0, std::memory_order_acquire);
      fn(context, {rank, size.load(std::memory_order_acquire), &barrier});
    }
    log.done();
  }
};

template <class Run>
void run_on(Executor& executor, std::size_t count, Run& run) {
  executor.parallel_for(
      count,
      [](void* context, std::size_t index) noexcept { static_cast<Run*>(context)->task(index); },
      &run);
  run.log.check();
}

}  // namespace

std::size_t executor_size(const Threads& threads, std::size_t max_size) noexcept {
  const int has = threads.executor->max_concurrency();
  const int wanted = threads.count > 0 ? std::min(threads.count, has) : has;
  return std::clamp<std::size_t>(static_cast<std::size_t>(std::max(wanted, 1)), 1, max_size);
}

void executor_ranges(Executor& executor, std::size_t n, std::size_t grain, std::size_t parts,
                     RangeFn fn, void* context) {
  RangesRun run{n, grain, parts, fn, context};
  run_on(executor, parts, run);
}

void executor_team(Executor& executor, std::size_t size, MemberFn fn, void* context) {
  TeamRun run{size, fn, context};
  run_on(executor, size, run);
}

}  // namespace detail
}  // namespace simdrop
