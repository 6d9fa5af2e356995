#include "threading/pool.h"

#include <algorithm>
#include <memory>
#include <new>

#include "base/check.h"
#include "threading/cpus.h"
#include "threading/never_destroyed.h"
#include "threading/process.h"
#include "threading/team.h"
#include "threading/workers.h"

namespace simdrop::detail {

// A child of fork() has none of its parent's threads, and makes its own.
struct Pool::OfProcess {
  unsigned depth = fork_depth();
  std::atomic<bool> busy{false};
  Workers workers;
  OfProcess* of_parent = nullptr;  // never touched again: its threads cannot be ended from here
};

Pool::~Pool() {
  const OfProcess* mine = of_process_.load(std::memory_order_acquire);
  if (mine != nullptr && mine->depth == fork_depth()) delete mine;
}

Pool::OfProcess* Pool::of_this_process() noexcept {
  OfProcess* found = of_process_.load(std::memory_order_acquire);
  if (found != nullptr && found->depth == fork_depth()) return found;
  if (!watch_forks()) return nullptr;
  std::unique_ptr<OfProcess> made;
  try {
    made = std::make_unique<OfProcess>();
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
  made->of_parent = found;
  if (!of_process_.compare_exchange_strong(found, made.get(), std::memory_order_acq_rel)) {
    return found;  // another thread was faster
  }
  return made.release();
}

void Pool::start() {
  OfProcess* mine = of_this_process();
  if (mine == nullptr) throw std::bad_alloc();
  mine->workers.grow(most_workers_);
}

std::size_t Pool::threads() const noexcept {
  const OfProcess* mine = of_process_.load(std::memory_order_acquire);
  const bool here = mine != nullptr && mine->depth == fork_depth();
  return 1 + (here ? mine->workers.size() : most_workers_);
}

void Pool::run(std::size_t count, Executor::Task task, void* context) noexcept {
  OfProcess* mine = count > 1 ? of_this_process() : nullptr;
  if (mine == nullptr || mine->busy.exchange(true, std::memory_order_acquire)) {
    for (std::size_t i = 0; i < count; ++i) task(context, i);
    return;
  }
  mine->workers.grow(std::min(count - 1, most_workers_));
  mine->workers.run(count, task, context);
  mine->busy.store(false, std::memory_order_release);
}

Pool& default_pool() noexcept {
  static const bool kept = [] {
    keep_loaded(reinterpret_cast<const void*>(&default_pool));
    return true;
  }();
  static_cast<void>(kept);
  return never_destroyed<Pool>(max_team - 1);
}

}  // namespace simdrop::detail

namespace simdrop {

struct ThreadPool::State : detail::Pool {
  using Pool::Pool;
};

detail::Pool& detail::PoolAccess::pool(ThreadPool& outer) noexcept {
  return *outer.state_;
}

namespace {

std::size_t workers_for(int count) {
  detail::check_argument(count >= 0, "count", count, ">= 0");
  const std::size_t threads = count == 0 ? detail::usable_cpus() : static_cast<std::size_t>(count);
  return std::min(threads, detail::max_team) - 1;
}

}  // namespace

ThreadPool::ThreadPool(int count) : state_(std::make_unique<State>(workers_for(count))) {
  state_->start();
}

ThreadPool::~ThreadPool() = default;

int ThreadPool::max_concurrency() const noexcept {
  return static_cast<int>(state_->threads());
}

void ThreadPool::parallel_for(std::size_t count, Task task, void* context) {
  state_->run(count, task, context);
}

}  // namespace simdrop
