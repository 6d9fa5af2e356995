#include "peers/workspace.h"

namespace simdrop::bench {

Workspace::Workspace(std::size_t n)
    : x_{Buffer<float>(n, 0), Buffer<float>(n, 3)}, y_(n, 10), words_(n, 16) {
  for (std::size_t which = 0; which < x_.size(); ++which) {
    float* x = x_.at(which).data();
    for (std::size_t i = 0; i < n; ++i) {  // in [-1, 1), and never 0: a 0 shows what was dropped
      const auto mixed = static_cast<std::uint32_t>(i + which * n) * 2654435761U;
      x[i] = (static_cast<float>(mixed >> 8U) + 0.5F) * 0x1p-23F - 1.0F;
    }
  }
}

Arrays Workspace::arrays(std::size_t turn) const {
  return {x_.at(turn % x_.size()).data(), y_.data(),
          reinterpret_cast<std::uint32_t*>(words_.data())};
}

}  // namespace simdrop::bench
