// The memory that cases run on.
#pragma once

#include <array>

#include "harness/buffer.h"
#include "peers/peer.h"

namespace simdrop::bench {

// The memory of one size: two inputs in turn (one would favour caches, more would leave the L2
// cache at 64 Ki elements), an output, and room for words.
class Workspace {
 public:
  explicit Workspace(std::size_t n);
  [[nodiscard]] Arrays arrays(std::size_t turn) const;

 private:
  std::array<Buffer<float>, 2> x_;
  Buffer<float> y_, words_;
};

}  // namespace simdrop::bench
