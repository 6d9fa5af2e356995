#include "mlp/own_memory.h"

#include <algorithm>
#include <iterator>

namespace simdrop::detail {

void OwnMemory::add(const void* data, std::size_t bytes) {
  const auto begin = reinterpret_cast<std::uintptr_t>(data);
  ranges_.push_back({begin, begin + bytes});
}

void OwnMemory::sort() {
  std::ranges::sort(ranges_, {}, &Range::begin);
  if (!ranges_.empty()) all_ = {ranges_.front().begin, ranges_.back().end};
}

// If any does, the last one that begins before `end` does.
bool OwnMemory::overlaps_one(std::uintptr_t begin, std::uintptr_t end) const noexcept {
  const auto after = std::ranges::lower_bound(ranges_, end, {}, &Range::begin);
  return after != ranges_.begin() && std::prev(after)->end > begin;
}

}  // namespace simdrop::detail
