// The only door to OpenMP.
#pragma once

#include <cstddef>
#include <type_traits>

#include "simdrop/threads.hpp"

namespace simdrop::detail {

// Threads that a team may have, at least 1: threads.count if positive, else what OpenMP would take
// or the executor has. 1 without an executor inside somebody else's parallel region or in a build
// without OpenMP.
std::size_t team_size(const Threads& threads) noexcept;

// The same whatever region it is called in: what there must be room for.
std::size_t largest_team(const Threads& threads) noexcept;

// The same threads, `count` of them at most. count <= largest_team().
inline Threads of_size(Threads threads, std::size_t count) noexcept {
  threads.count = static_cast<int>(count);
  return threads;
}

using RangeFn = void (*)(void* context, std::size_t begin, std::size_t end) noexcept;

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

// One thread of a team that runs the same function: what it is, and a place to wait for the others.
struct TeamMember {
  std::size_t rank = 0;
  std::size_t size = 1;

  // Returns when every member has called it: what they wrote before is visible.
  void barrier() const noexcept;
};

using MemberFn = void (*)(void* context, const TeamMember& member) noexcept;

// Runs fn on at most so many threads at once (fewer where the runtime grants fewer).
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

struct Range {
  std::size_t begin, end;
  [[nodiscard]] bool empty() const noexcept { return begin >= end; }
};

// Part `part` of `parts` of [0, n), cut at multiples of `unit`.
constexpr Range share(std::size_t n, std::size_t unit, std::size_t part, std::size_t parts) {
  const std::size_t units = (n + unit - 1) / unit;
  const std::size_t begin = units * part / parts * unit;
  const std::size_t end = units * (part + 1) / parts * unit;
  return {begin < n ? begin : n, end < n ? end : n};
}

}  // namespace simdrop::detail
