// A thread team: its members, how they split work, and where they wait for each other.
#pragma once

#include <cstddef>

namespace simdrop::detail {

class TeamBarrier;

// More threads than a machine has are no help, and a runtime that gets none may end the program.
inline constexpr std::size_t max_team = 1024;

struct Range {
  std::size_t begin, end;
  [[nodiscard]] bool empty() const noexcept { return begin >= end; }
};

// Part `part` of `parts` of [0, n), cut at multiples of `grain`.
constexpr Range share(std::size_t n, std::size_t grain, std::size_t part, std::size_t parts) {
  const std::size_t grains = (n + grain - 1) / grain;
  const std::size_t begin = grains * part / parts * grain;
  const std::size_t end = grains * (part + 1) / parts * grain;
  return {begin < n ? begin : n, end < n ? end : n};
}

// One thread of a team that runs the same function: what it is, and a place to wait for the others.
struct TeamMember {
  std::size_t rank = 0;
  std::size_t size = 1;
  TeamBarrier* team_barrier = nullptr;  // null: there are no others

  // Returns when every member has called it: what they wrote before is visible.
  void barrier() const noexcept;
};

using RangeFn = void (*)(void* context, std::size_t begin, std::size_t end) noexcept;
using MemberFn = void (*)(void* context, const TeamMember& member) noexcept;

}  // namespace simdrop::detail
