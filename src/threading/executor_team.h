// Ranges and teams on the threads of an executor.
#pragma once

#include <cstddef>

#include "simdrop/threads.hpp"
#include "threading/team.h"
#include "threading/together.h"

namespace simdrop::detail {

// Tasks that threads.executor can run at once, threads.count of them at most, from 1 to `max_size`.
std::size_t executor_size(const Threads& threads, std::size_t max_size) noexcept;

// Both throw what the executor throws, and std::runtime_error if it did not call each task once.

// `together` is told what the call took.

// fn on each of `parts` parts of [0, n), cut at multiples of `grain`.
void executor_ranges(Executor& executor, Together& together, std::size_t n, std::size_t grain,
                     std::size_t parts, RangeFn fn, void* context);

// fn on a team of `size` members, or of fewer: an executor need not run tasks at once, and members
// wait for each other. So those that have come after a short time are the team, and what comes
// later has nothing to do. No pool can make it hang then.
void executor_team(Executor& executor, Together& together, std::size_t size, MemberFn fn,
                   void* context);

}  // namespace simdrop::detail
