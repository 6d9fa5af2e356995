// Hosts that have few threads, one CPU, many signals, or that fork at any moment: results are the
// same, and nothing hangs. Usage: unlucky_hosts CASE
#define DOCTEST_CONFIG_IMPLEMENT  // for the fixtures
#include <doctest/doctest.h>

#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>

#include "embedding/workload.h"
#include "helpers/mlp_fixtures.h"
#include "simdrop/checkpoint.hpp"
#include "simdrop/threads.hpp"

namespace {

using embedding::Bytes;
using embedding::everything;

constexpr int right = 0, wrong = 1, skipped = 77, hung = 99;
constexpr unsigned most_seconds = 300;  // on a busy machine

// What fn() returns in a child process, or `hung`, or `wrong` if it ended in another way.
int in_child(const std::function<int()>& fn) {
  const pid_t child = fork();
  if (child == 0) {
    // A handler: the first process of a namespace ignores what would only end it.
    signal(SIGALRM, [](int) { _exit(hung); });
    alarm(most_seconds);
    _exit(fn());
  }
  int status = 0;
  while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (child < 0 || !WIFEXITED(status)) return wrong;
  return WEXITSTATUS(status);
}

// Whether calls on so many threads give these bytes.
int computes(const Bytes& want, std::initializer_list<int> threads) {
  for (const int count : threads) {
    if (everything(count) != want) return wrong;
  }
  return right;
}

// The same on threads of a pool.
int computes(const Bytes& want, simdrop::ThreadPool& pool) {
  return everything(pool) == want ? right : wrong;
}

// The worst of several results; a case that was skipped in part says so.
int both(int a, int b) {
  return a == right ? b : a;
}

// The process itself must stay one that has never used threads: each case has its own in a child.
// `want` is computed on one thread.

int one_cpu(const Bytes& want) {
  return in_child([&] {
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0) return skipped;
    int cpu = 0;
    while (!CPU_ISSET(cpu, &allowed)) ++cpu;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    if (sched_setaffinity(0, sizeof(one), &one) != 0) return skipped;
    simdrop::ThreadPool pool(2);
    return both(computes(want, {1, 2, 4, 0}), computes(want, pool));
  });
}

// A system that grants no thread, or one. OpenMP's runtime would end the process: what sets it up
// in the environment of these tests is taken away, before the library looks.
int few_threads(const Bytes& want) {
  return in_child([&] {
    for (const char* name : {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME", "OMP_PROC_BIND",
                             "OMP_PLACES", "GOMP_CPU_AFFINITY", "KMP_AFFINITY"}) {
      unsetenv(name);
    }
    const rlimit one{1, 1};
    // The limit does not bind root: another user, who has no process but this one.
    constexpr uid_t nobody_else = 54'321;
    if (setrlimit(RLIMIT_NPROC, &one) != 0) return skipped;
    if (geteuid() == 0 && (setgid(nobody_else) != 0 || setuid(nobody_else) != 0)) return skipped;
    try {
      std::thread([] {}).join();
      return skipped;  // threads are granted all the same
    } catch (const std::system_error&) {
    }
    simdrop::ThreadPool pool(2), larger(9);
    if (pool.max_concurrency() != 1 || larger.max_concurrency() != 1) return wrong;
    return both(computes(want, {2, 0}), both(computes(want, pool), computes(want, larger)));
  });
}

// A pool lives on in the children of its process, before it was used and after, and in theirs.
int fork_with_pool(const Bytes& want) {
  return in_child([&] {
    simdrop::ThreadPool pool(2), unused(2);
    if (computes(want, pool) != right) return wrong;
    const auto child = [&] { return both(computes(want, pool), computes(want, unused)); };
    const int result = in_child(child);
    const int grandchild = in_child([&] { return both(child(), in_child(child)); });
    return both(both(result, grandchild), child());
  });
}

int fork_before_any_call(const Bytes& want) {
  return in_child([&] { return in_child([&] { return computes(want, {2, 1, 0}); }); });
}

int fork_after_threads(const Bytes& want) {
  return in_child([&] {
    if (computes(want, {2}) != right) return wrong;
    const auto child = [&] { return in_child([&] { return computes(want, {2, 0}); }); };
    const int grandchild = in_child([&] { return in_child([&] { return computes(want, {2}); }); });
    // The parent has its threads still.
    return both(both(child(), grandchild), computes(want, {2}));
  });
}

// A thread computes all the time; the process forks in the midst of it.
int fork_during_a_call(const Bytes& want) {
  return in_child([&] {
    std::atomic<bool> stop{false};
    std::atomic<int> errors{0};
    simdrop::ThreadPool pool(2);
    std::thread other([&] {
      while (!stop) errors += computes(want, {2}) + computes(want, pool);
    });
    int result = right;
    for (int i = 0; i < 4 && result == right; ++i) {
      usleep(static_cast<useconds_t>(1000 + 37'001 * i));
      result = in_child([&] { return both(computes(want, {2}), computes(want, pool)); });
    }
    stop = true;
    other.join();
    return both(result, errors == 0 ? right : wrong);
  });
}

#ifdef CLONE_NEWPID
// fn() in a child that is process 1 of a namespace of its own.
int in_namespace(const std::function<int()>& fn) {
  return in_child([&] {
    if (unshare(CLONE_NEWPID) != 0) return skipped;
    return in_child([&] { return getpid() == 1 ? fn() : wrong; });
  });
}

// A child with the process number of its parent, which has used threads.
int fork_with_one_number(const Bytes& want) {
  return in_namespace([&] {
    simdrop::ThreadPool pool(2);
    if (both(computes(want, {2}), computes(want, pool)) != right) return wrong;
    if (unshare(CLONE_NEWPID) != 0) return skipped;
    return in_child([&] {
      return getpid() == 1 ? both(computes(want, {2, 0}), computes(want, pool)) : wrong;
    });
  });
}
#else
int fork_with_one_number(const Bytes& /*want*/) {
  return skipped;
}
#endif

std::atomic<long> signals_seen{0};

// Ten thousand signals a second, which interrupt system calls.
bool send_signals() {
  struct sigaction action {};
  action.sa_handler = [](int) { signals_seen.fetch_add(1, std::memory_order_relaxed); };
  sigevent event{};
  event.sigev_notify = SIGEV_SIGNAL;
  event.sigev_signo = SIGUSR1;
  timer_t timer{};
  const itimerspec often{{0, 100'000}, {0, 100'000}};
  return sigaction(SIGUSR1, &action, nullptr) == 0 &&
         timer_create(CLOCK_MONOTONIC, &event, &timer) == 0 &&
         timer_settime(timer, 0, &often, nullptr) == 0;
}

int signals(const Bytes& want) {
  return in_child([&] {
    if (!send_signals()) return skipped;
    const auto folder =
        std::filesystem::temp_directory_path() / ("simdrop-signals-" + std::to_string(getpid()));
    std::filesystem::create_directory(folder);
    const auto config =
        fixture::make_config({300, 400, 10}, simdrop::Loss::softmax_ce, {0.8, 0.5}, 64);
    const simdrop::Mlp mlp(config);
    simdrop::ThreadPool pool(2);
    int result = both(computes(want, {1, 2}), computes(want, pool));
    for (int i = 0; i < 20 && result == right; ++i) {
      simdrop::save_checkpoint(folder / "f", mlp);
      const auto loaded = simdrop::load_checkpoint(folder / "f", config);
      if (!fixture::same_bits(fixture::parameters(loaded.mlp), fixture::parameters(mlp))) {
        result = wrong;
      }
    }
    std::filesystem::remove_all(folder);
    std::printf("%ld signals\n", signals_seen.load());
    std::fflush(stdout);
    // Fewer, and the test would say nothing.
    return signals_seen > 100 ? result : wrong;
  });
}

struct Case {
  const char* name;
  int (*run)(const Bytes& want);
};
constexpr Case cases[] = {{"one_cpu", one_cpu},
                          {"few_threads", few_threads},
                          {"fork_with_pool", fork_with_pool},
                          {"fork_before_any_call", fork_before_any_call},
                          {"fork_after_threads", fork_after_threads},
                          {"fork_during_a_call", fork_during_a_call},
                          {"fork_with_one_number", fork_with_one_number},
                          {"signals", signals}};

}  // namespace

int main(int argc, char** argv) {
  for (const Case& c : cases) {
    if (argc != 2 || std::string_view(argv[1]) != c.name) continue;
    const int result = c.run(everything(1));
    if (result == skipped) std::puts("skipped: this system does not allow it");
    if (result == hung) std::puts("a process hung");
    if (result == wrong) std::puts("other results, or a process that ended in another way");
    return result;
  }
  std::puts("usage: unlucky_hosts CASE");
  return 2;
}
