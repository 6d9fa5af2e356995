// How the elementwise parts of a pass are shared by a team.
#pragma once

#include <algorithm>
#include <cstddef>

#include "threading/parallel.h"

namespace simdrop::detail {

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
