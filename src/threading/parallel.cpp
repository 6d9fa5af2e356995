#include "threading/parallel.h"

#include <algorithm>

#include "threading/barrier.h"
#include "threading/cpus.h"
#include "threading/executor_team.h"
#include "threading/never_destroyed.h"
#include "threading/openmp.h"
#include "threading/pool.h"

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

// OpenMP's threads spin for milliseconds wherever they wait, unless the program's environment says
// otherwise: that ruins a machine which has other work. So they run calls only where somebody has
// set them up.
Executor& executor_of(const Threads& threads) noexcept {
  if (threads.executor != nullptr) return *threads.executor;
  if (Executor* openmp = openmp_executor(); openmp != nullptr && openmp_is_set_up()) return *openmp;
  return never_destroyed<DefaultPool>();
}

std::size_t threads_by_default() noexcept {
  return std::min(openmp_threads() == SIZE_MAX ? allowed_cpus() : openmp_threads(), cpu_quota());
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
  executor_ranges(executor_of(threads), n, grain, team, fn, context);
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
  executor_team(executor_of(threads), team, fn, context);
}

}  // namespace simdrop::detail
