#include "mlp/own_memory.h"

#include <algorithm>

namespace simdrop::detail {

void OwnMemory::add(const void* data, std::size_t bytes) {
  const auto begin = reinterpret_cast<std::uintptr_t>(data);
  ranges_.push_back({begin, begin + bytes});
}

void OwnMemory::sort() {
  std::ranges::sort(ranges_, {}, &Range::begin);
}

bool OwnMemory::overlaps(const MemoryRegion& m) const noexcept {
  if (m.size() == 0) return false;
  // The last one that begins before m ends is the only one that may reach into it, or the others
  // that do lie within m.
  const auto after = std::ranges::lower_bound(ranges_, m.end(), {}, &Range::begin);
  return after != ranges_.begin() && std::prev(after)->end > m.begin();
}

}  // namespace simdrop::detail
