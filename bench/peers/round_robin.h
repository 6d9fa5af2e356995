// Times cases in turn, in another order each round, so that what disturbs the machine disturbs all
// of them.
#pragma once

#include <memory>
#include <new>

#include "peers/peer.h"

namespace simdrop::bench {

struct Timing {
  int rounds = 11;
  double milliseconds = 8.0;  // least, of each case in each round
};

// The memory of one size: two inputs in turn (one would favour caches, more would leave the L2
// cache at 64 Ki elements), an output, and room for words.
class Workspace {
 public:
  explicit Workspace(std::size_t n);
  [[nodiscard]] Arrays arrays(std::size_t turn) const;

 private:
  struct Delete {
    void operator()(float* p) const { ::operator delete[](p, std::align_val_t{4096}); }
  };
  using Buffer = std::unique_ptr<float[], Delete>;
  static Buffer allocate(std::size_t n);
  [[nodiscard]] static float* at_line(const Buffer& buffer, std::size_t line);

  Buffer x_[2], y_, words_;
};

// Median seconds of one call, for each case.
[[nodiscard]] std::vector<double> median_seconds(const std::vector<Case>& cases,
                                                 const Workspace& workspace, const Timing& timing);

}  // namespace simdrop::bench
