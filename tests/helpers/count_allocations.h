// Counts what passes through the global operator new, which count_allocations.cpp replaces.
// (OpenMP's runtime calls malloc for its own threads.)
#pragma once

#include <cstddef>

namespace test {

std::size_t allocations() noexcept;
// While true, operator new throws std::bad_alloc.
void refuse_allocations(bool refuse) noexcept;

template <class Fn>
std::size_t allocations_in(Fn&& fn) {
  const std::size_t before = allocations();
  fn();
  return allocations() - before;
}

}  // namespace test
