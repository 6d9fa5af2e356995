// PyTorch's threads for simdrop's calls.
#pragma once

#include <cstdint>

#include "simdrop/c/base.h"

namespace simdrop::torch {

// Who runs a call on so many elements: PyTorch's threads, as many as torch.get_num_threads() says,
// or the caller alone where simdrop does not split the work.
class Exec {
 public:
  explicit Exec(std::int64_t elements);
  const simdrop_exec* get() const { return exec_.struct_size != 0 ? &exec_ : nullptr; }

 private:
  simdrop_exec exec_{};
};

}  // namespace simdrop::torch
