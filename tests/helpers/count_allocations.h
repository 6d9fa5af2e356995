// Counts what passes through the global operator new, which count_allocations.cpp replaces, and
// makes some of it fail. (OpenMP's runtime calls malloc for its own threads.)
#pragma once

#include <cstddef>
#include <limits>

namespace test {

std::size_t allocations() noexcept;
// Those that were not given back yet.
std::ptrdiff_t live_allocations() noexcept;
// Bytes of those, and the most of them since the last call of forget_peak().
std::size_t live_bytes() noexcept;
std::size_t peak_bytes() noexcept;
void forget_peak() noexcept;
// Allocations that were refused so far.
std::size_t refusals() noexcept;

inline constexpr std::size_t all_later = std::numeric_limits<std::size_t>::max();

// From now on the n-th allocation, counted from 1, throws std::bad_alloc, and so do those behind
// it, `count` together. No allocation fails for n = 0.
void refuse_allocations(std::size_t n, std::size_t count = all_later) noexcept;

template <class Fn>
std::size_t allocations_in(Fn&& fn) {
  const std::size_t before = allocations();
  fn();
  return allocations() - before;
}

}  // namespace test
