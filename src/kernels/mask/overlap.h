// Applying one chunk's mask while the next one's is drawn: the former waits for memory, the latter
// is arithmetic, and a core does both at once if they are close enough in the instruction stream.
#pragma once

#include <cstddef>

namespace simdrop::detail {

// Work on `elements` elements that is done a share at a time, between the steps of drawing a mask.
struct OverlappedWork {
  void (*run)(void* context, std::size_t elements) = nullptr;  // does that much, or what is left
  void* context = nullptr;
  std::size_t elements = 0;  // all of the work
  std::size_t per_cost = 0;

  // Announces what all steps cost together, in units of the caller's.
  [[gnu::always_inline]] void plan(std::size_t cost) {
    per_cost = (elements / 64 + cost) / cost * 64;
  }
  // After a step that costs so much.
  [[gnu::always_inline]] void after(std::size_t cost) const {
    if (run != nullptr) run(context, per_cost * cost);
  }
};

}  // namespace simdrop::detail
