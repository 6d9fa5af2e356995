// The only door to OpenMP.
#pragma once

#include <cstddef>
#include <type_traits>

namespace simdrop::detail {

// Threads that a team may have: `requested` if positive, else what OpenMP would take; 1 inside
// somebody else's parallel region or in a build without OpenMP.
int team_size(int requested) noexcept;

// The same whatever region it is called in: what there must be room for.
int largest_team(int requested) noexcept;

using RangeFn = void (*)(void* context, std::size_t begin, std::size_t end) noexcept;

// Splits [0, n) into contiguous ranges that start at multiples of `grain`, at most one a thread,
// and runs them on at most num_threads threads. Serial if one range is all there is. Takes the
// team that it gets; never changes a global setting.
void parallel_ranges(std::size_t n, std::size_t grain, int num_threads, RangeFn fn, void* context);

// The same for a callable fn(begin, end), which must not throw.
template <class Fn>
void parallel_for(std::size_t n, std::size_t grain, int num_threads, Fn&& fn) {
  using Callable = std::remove_reference_t<Fn>;
  parallel_ranges(
      n, grain, num_threads,
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

// Runs fn on at most num_threads threads at once (fewer where the runtime grants fewer).
void parallel_team(int num_threads, MemberFn fn, void* context);

// The same for a callable fn(member), which must not throw.
template <class Fn>
void parallel_team(int num_threads, Fn&& fn) {
  using Callable = std::remove_reference_t<Fn>;
  parallel_team(
      num_threads,
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
