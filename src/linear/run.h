// Whole products on a team that they start, with memory of a workspace: what stands behind
// linear.hpp. Arguments have been checked by then (linear.cpp): shapes fit, outputs overlap
// nothing. Outputs have elements, but for dw, which may have no columns; the length of sums may be
// 0. T: float or double.
//
// All of the workspace that is needed is reserved before anything is written.
#pragma once

#include <cstdint>

#include "kernels/kernel_table.h"
#include "linear/products.h"
#include "linear/workspace.h"
#include "simdrop/threads.hpp"

namespace simdrop::detail {

// The mask of a forward product: element (r, c) of y is element r * y.cols + c of the source.
struct DrawnMask {
  MaskSource source;
  bool drops;          // false: keep_prob is 1, and y takes no notice of the mask
  std::uint8_t* bits;  // null, or gets them
};

// The product's own bits are those of the mask.
template <class T>
void run(const KernelTable& table, ForwardProduct<T> product, const DrawnMask& mask,
         LinearWorkspace::State& workspace, Threads threads);
template <class T>
void run(const KernelTable& table, const BackwardInputProduct<T>& product,
         LinearWorkspace::State& workspace, Threads threads);
template <class T>
void run(const KernelTable& table, const BackwardWeightsProduct<T>& product,
         LinearWorkspace::State& workspace, Threads threads);

}  // namespace simdrop::detail
