// Runs work on a thread team: OpenMP's threads, of which this is the only user, or an executor's.
#pragma once

#include <algorithm>
#include <cstddef>
#include <type_traits>

#include "base/check.h"
#include "simdrop/threads.hpp"
#include "threading/team.h"

namespace simdrop::detail {

inline void check_threads(const Threads& threads) {
  check_argument(threads.count >= 0, "threads.count", threads.count, ">= 0");
}

// Threads that a team may have, from 1 to max_team: threads.count if positive, else what OpenMP
// would take; as many as an executor has at most. Without an executor it is 1 where OpenMP must not
// start threads: inside somebody else's parallel region, in the child of a process that had some,
// in a build without it.
std::size_t team_size(const Threads& threads) noexcept;

// The same wherever it is called: what there must be room for.
std::size_t largest_team(const Threads& threads) noexcept;

// The same threads, `count` of them at most. 1 <= count <= max_team.
inline Threads of_size(Threads threads, std::size_t count) noexcept {
  threads.count = static_cast<int>(count);
  return threads;
}

// Splits [0, n) into contiguous ranges that start at multiples of `grain`, at most one a thread,
// and runs them on at most so many threads. Serial if one range is all there is. Takes the
// team that it gets; never changes a global setting.
void parallel_ranges(std::size_t n, std::size_t grain, const Threads& threads, RangeFn fn,
                     void* context);

// The same for a callable fn(begin, end), which must not throw.
template <class Fn>
void parallel_for(std::size_t n, std::size_t grain, const Threads& threads, Fn&& fn) {
  using Callable = std::remove_reference_t<Fn>;
  parallel_ranges(
      n, grain, threads,
      [](void* context, std::size_t begin, std::size_t end) noexcept {
        (*static_cast<Callable*>(context))(begin, end);
      },
      const_cast<void*>(static_cast<const void*>(&fn)));
}

// Runs fn on at most so many threads at once (fewer where the runtime grants fewer). Throws what an
// executor makes of it, as parallel_ranges() does.
void parallel_team(const Threads& threads, MemberFn fn, void* context);

// The same for a callable fn(member), which must not throw.
template <class Fn>
void parallel_team(const Threads& threads, Fn&& fn) {
  using Callable = std::remove_reference_t<Fn>;
  parallel_team(
      threads,
      [](void* context, const TeamMember& member) noexcept {
        (*static_cast<Callable*>(context))(member);
      },
      const_cast<void*>(static_cast<const void*>(&fn)));
}

// Less than this is not worth a thread: a few microseconds of an elementwise kernel, and of
// exponentials.
inline constexpr std::size_t elements_per_thread = 8192;
inline constexpr std::size_t outputs_per_thread = 2048;

// What a member does of n things, cut at multiples of `grain`; so many members take part that each
// has about `least`.
inline Range share_of(const TeamMember& member, std::size_t n, std::size_t grain,
                      std::size_t least) {
  const std::size_t parts = std::min(member.size, 1 + n / std::max<std::size_t>(least, 1));
  if (member.rank >= parts) return {0, 0};
  return share(n, grain, member.rank, parts);
}

}  // namespace simdrop::detail
