// The three products of a linear layer, for the range that one thread computes. What is large, the
// weights, is read once, and a piece of it at a time is copied to where it stays in L1; what is
// small, a block of the batch, is packed and stays in L2.
#pragma once

#include <cstddef>

#include "kernels/gemm/backward_input.h"
#include "kernels/gemm/backward_weights.h"
#include "kernels/gemm/forward.h"
#include "kernels/gemm/pack.h"
#include "kernels/gemm/scratch.h"
#include "kernels/gemm/tile.h"
#include "kernels/gemm_arguments.h"
#include "kernels/isa/isa.h"

namespace simdrop::detail {
namespace {

template <class T>
constexpr ProductKernels<T> product_kernels() {
  return {.mr = tile_mr,
          .nr = nr_of<T>,
          .vector = lanes_of<T>,
          .pack_rows = pack_rows<T>,
          .pack_cols = pack_cols<T>,
          .scratch_size = scratch_size<T>,
          .forward = forward_product,
          .backward_input = backward_input_product,
          .backward_weights = backward_weights_product};
}

}  // namespace
}  // namespace simdrop::detail
