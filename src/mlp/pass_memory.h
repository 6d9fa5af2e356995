// What the products of a pass need beside their operands: panels, and scratch for each thread.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "base/buffer.h"
#include "kernels/kernel_table.h"
#include "linear/products.h"
#include "simdrop/threads.hpp"

namespace simdrop::detail {

enum class Passes { forward, both };

class PassMemory {
 public:
  // For a network of these widths, batches of max_batch rows and `threads`. Checks nothing.
  PassMemory(const KernelTable& table, std::span<const std::size_t> widths, std::size_t max_batch,
             Passes passes, const Threads& threads);

  // The team that a call may have, `own` if it does not say, with scratch for each of its members.
  // Allocates if it is larger than all before. Throws std::invalid_argument.
  Threads reserve(const std::optional<Threads>& threads, const Threads& own);

  // Of layer `layer`, whose panels begin at `offset`.
  [[nodiscard]] ProductBuffers<float> of_layer(std::size_t layer,
                                               std::size_t offset = 0) const noexcept {
    return {panels_[layer % 2].get() + offset, scratch_.get(), scratch_floats_};
  }
  [[nodiscard]] std::size_t floats() const noexcept {
    return 2 * panel_floats_ + scratch_floats_ * team_;
  }

 private:
  void allocate_scratch(std::size_t team);

  Buffer<float> panels_[2];  // of odd and even layers, so that packing one waits for no other
  Buffer<float> scratch_;    // of each member
  std::size_t panel_floats_ = 0, scratch_floats_ = 0;
  std::size_t team_ = 0;  // what there is scratch for
};

}  // namespace simdrop::detail
