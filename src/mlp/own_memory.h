// The memory of a network that views are handed out of: what a step reads or writes must not lie
// there. A test costs some comparisons, however many layers there are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/matrix_check.h"

namespace simdrop::detail {

class OwnMemory {
 public:
  // Of an object that is being made; sort() when all are there.
  void add(const void* data, std::size_t bytes);
  void sort();

  // m: one that fits in memory. Where its rows have gaps, they count.
  [[nodiscard]] bool overlaps(const MemoryRegion& m) const noexcept {
    if (m.size() == 0 || m.begin() >= all_.end || m.end() <= all_.begin) return false;
    return overlaps_one(m.begin(), m.end());
  }

 private:
  struct Range {
    std::uintptr_t begin, end;
  };
  [[nodiscard]] bool overlaps_one(std::uintptr_t begin, std::uintptr_t end) const noexcept;

  std::vector<Range> ranges_;  // no two overlap
  Range all_{0, 0};            // from the first of them to the last: most arguments lie outside
};

}  // namespace simdrop::detail
