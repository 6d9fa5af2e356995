// The only door to OpenMP.
#pragma once

#include <cstddef>
#include <type_traits>

namespace simdrop::detail {

// Threads that a team may have: `requested` if positive, else what OpenMP would take; 1 inside
// somebody else's parallel region or in a build without OpenMP.
int team_size(int requested) noexcept;

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

}  // namespace simdrop::detail
