#include "threading/workers.h"

#include <csignal>

#include <algorithm>
#include <bit>
#include <tuple>

#include "base/no_cancellation.h"

namespace simdrop::detail {
namespace {

// A program's signal handlers run on its own threads: those that are started while this lives take
// none but the signals of their own faults.
class SignalsBlocked {
 public:
  SignalsBlocked() noexcept {
    sigset_t all;
    sigfillset(&all);
    for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT}) {
      sigdelset(&all, fault);
    }
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_{};
};

}  // namespace

Workers::~Workers() {
  const NoCancellation all_joined;  // pthread_join() is where a thread may be cancelled
  stopping_.store(true, std::memory_order_relaxed);
  wake(size());
  for (std::size_t i = 0; i < size(); ++i) pthread_join(threads_[i].handle, nullptr);
}

void Workers::grow(std::size_t count) noexcept {
  count = std::min(count, threads_.size());
  std::size_t have = size();
  if (have >= count || refused_) return;
  const SignalsBlocked blocked;
  while (have < count && !refused_) {
    Thread& thread = threads_[have];
    thread.workers = this;
    thread.number = have + 1;
    refused_ = pthread_create(&thread.handle, nullptr, &main, &thread) != 0;
    if (!refused_) ++have;
  }
  size_.store(have, std::memory_order_relaxed);
}

void Workers::run(std::size_t count, Executor::Task task, void* context) noexcept {
  task_.store(task, std::memory_order_relaxed);
  context_.store(context, std::memory_order_relaxed);
  constexpr std::size_t most = 64 * std::tuple_size_v<decltype(left_)>;
  for (std::size_t first = 0; first < count; first += most) {
    const std::size_t tasks = std::min(count - first, most);
    first_.store(first, std::memory_order_relaxed);
    unfinished_.store(static_cast<std::uint32_t>(tasks), std::memory_order_relaxed);
    for (std::size_t i = 0; i < tasks; i += 64) {
      left_[i / 64].store(~std::uint64_t{0} >> (64 - std::min<std::size_t>(tasks - i, 64)),
                          std::memory_order_release);
    }
    wake(tasks - 1);
    while (run_task(0)) {
    }
    wait_until(
        unfinished_, [](std::uint32_t left) { return left == 0; }, caller_patience_);
  }
}

void* Workers::main(void* thread) noexcept {
  const Thread& self = *static_cast<Thread*>(thread);
  self.workers->work(self.number);
  return nullptr;
}

void Workers::work(std::size_t number) noexcept {
  Patience patience;
  // First the signal, then what it may be about: whatever comes later changes it again.
  for (std::uint32_t seen = signal_.load(std::memory_order_acquire);
       !stopping_.load(std::memory_order_relaxed); seen = signal_.load(std::memory_order_acquire)) {
    while (run_task(number)) {
    }
    wait_until(
        signal_, [&](std::uint32_t now) { return now != seen; }, patience);
  }
}

bool Workers::claim(std::size_t& index, std::size_t number) noexcept {
  for (std::size_t word = 0; word < left_.size(); ++word) {
    std::uint64_t left = left_[word].load(std::memory_order_relaxed);
    while (left != 0) {
      const bool own = number / 64 == word && (left >> (number % 64) & 1) != 0;
      const std::uint64_t bit = own ? std::uint64_t{1} << (number % 64) : left & (~left + 1);
      left = left_[word].fetch_and(~bit, std::memory_order_acquire);
      if ((left & bit) != 0) {
        index = 64 * word + static_cast<std::size_t>(std::countr_zero(bit));
        return true;
      }
    }
  }
  return false;
}

bool Workers::run_task(std::size_t number) noexcept {
  std::size_t index = 0;
  if (!claim(index, number)) return false;
  // From here on the job cannot end before this task has.
  task_.load(std::memory_order_relaxed)(context_.load(std::memory_order_relaxed),
                                        first_.load(std::memory_order_relaxed) + index);
  if (unfinished_.fetch_sub(1, std::memory_order_acq_rel) == 1) unfinished_.notify_one();
  return true;
}

void Workers::wake(std::size_t threads) noexcept {
  signal_.fetch_add(1, std::memory_order_release);
  if (threads >= size()) {
    signal_.notify_all();
    return;
  }
  for (std::size_t i = 0; i < threads; ++i) signal_.notify_one();
}

}  // namespace simdrop::detail
