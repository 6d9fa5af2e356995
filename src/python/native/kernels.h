// simdrop's C functions on PyTorch's tensors of the CPU. Elements are numbered in logical order,
// whatever the strides. Functions throw std::runtime_error with what is wrong.
#pragma once

#include <cstdint>

#include "python/native/shim.h"

namespace simdrop::torch {

// Everything that a mask is a function of, beside the number of an element; class Draw of Python.
struct Draw {
  double p;  // the probability that an element is dropped
  std::int64_t seed;
  std::int64_t first_row;  // which row of the whole batch the tensor begins with
  std::int64_t stream;
  std::int64_t is_drawn;  // 0: seed is still to be drawn
};

// A seed of PyTorch's generator, which is what manual_seed() and checkpoints set.
std::int64_t drawn_seed();

Tensor dropout(const Tensor& x, const Draw& draw);
Tensor residual_dropout(const Tensor& x, const Tensor& residual, const Draw& draw);
// bias: of the last dimension, or none. in_place: the result is x, which is contiguous.
Tensor relu_dropout(const Tensor& x, const Tensor& bias, const Draw& draw, bool in_place);
Tensor relu_dropout_backward(const Tensor& y, const Tensor& dy, double p);

}  // namespace simdrop::torch
