// Executors as applications might have them, good ones and faulty ones.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <vector>

#include "simdrop/threads.hpp"

namespace test {

// Counts what it is asked for.
class CountingExecutor : public simdrop::Executor {
 public:
  explicit CountingExecutor(int claimed) : claimed_(claimed) {}
  [[nodiscard]] int max_concurrency() const noexcept override { return claimed_; }
  void parallel_for(std::size_t count, Task task, void* context) override {
    ++calls;
    std::size_t before = most;
    while (count > before && !most.compare_exchange_weak(before, count)) {
    }
    run(count, task, context);
  }

  std::atomic<std::size_t> calls{0}, most{0};  // calls, and the largest count

 protected:
  virtual void run(std::size_t count, Task task, void* context) = 0;

 private:
  int claimed_;
};

// A pool of `workers` threads beside those that call it; from any number of threads at once.
class QueuePool : public CountingExecutor {
 public:
  explicit QueuePool(int workers) : CountingExecutor(workers + 1) {
    for (int i = 0; i < workers; ++i) threads_.emplace_back([this] { work(); });
  }
  ~QueuePool() override {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    for (auto& thread : threads_) thread.join();
  }
  QueuePool(const QueuePool&) = delete;
  QueuePool& operator=(const QueuePool&) = delete;

 protected:
  void run(std::size_t count, Task task, void* context) override {
    Job job{task, context, count, 0, 0, nullptr};
    std::unique_lock lock(mutex_);
    job.after = first_;
    first_ = &job;
    changed_.notify_all();
    while (job.next < job.count) run_one(job, lock);
    changed_.wait(lock, [&] { return job.done == job.count; });
  }

 private:
  struct Job {
    Task task;
    void* context;
    std::size_t count, next, done;
    Job* after;
  };

  void run_one(Job& job, std::unique_lock<std::mutex>& lock) {
    const std::size_t index = job.next++;
    if (job.next == job.count) remove(job);
    lock.unlock();
    job.task(job.context, index);
    lock.lock();
    if (++job.done == job.count) changed_.notify_all();
  }
  void remove(const Job& job) {
    Job** at = &first_;
    while (*at != &job) at = &(*at)->after;
    *at = job.after;
  }
  void work() {
    std::unique_lock lock(mutex_);
    while (true) {
      changed_.wait(lock, [&] { return stopping_ || first_ != nullptr; });
      if (stopping_) return;
      run_one(*first_, lock);
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  Job* first_ = nullptr;  // jobs of which tasks are left
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

enum class Order { forward, backward };

// Claims threads that it has not: all tasks run on the caller's.
class SerialExecutor : public CountingExecutor {
 public:
  explicit SerialExecutor(int claimed, Order order = Order::forward)
      : CountingExecutor(claimed), order_(order) {}

 protected:
  void run(std::size_t count, Task task, void* context) override {
    for (std::size_t i = 0; i < count; ++i) {
      task(context, order_ == Order::forward ? i : count - 1 - i);
    }
  }

 private:
  Order order_;
};

enum class Fault { none_run, last_missing, first_twice, one_too_many, throws_first, throws_last };

// Does wrong what `fault` says, on one thread.
class FaultyExecutor : public CountingExecutor {
 public:
  explicit FaultyExecutor(Fault fault_) : CountingExecutor(3), fault(fault_) {}
  struct Error : std::runtime_error {
    Error() : std::runtime_error("the pool is gone") {}
  };
  Fault fault;

 protected:
  void run(std::size_t count, Task task, void* context) override {
    if (fault == Fault::none_run) return;
    if (fault == Fault::throws_first) throw Error();
    if (fault == Fault::first_twice) task(context, 0);
    const std::size_t all = fault == Fault::last_missing   ? count - 1
                            : fault == Fault::one_too_many ? count + 1
                                                           : count;
    for (std::size_t i = 0; i < all; ++i) task(context, i);
    if (fault == Fault::throws_last) throw Error();
  }
};

}  // namespace test
