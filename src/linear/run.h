// The products behind linear.hpp. Arguments have been checked by then (linear.cpp): shapes fit,
// outputs overlap nothing. Outputs have elements, but for dw, which may have no columns; the length
// of sums may be 0. T: float or double.
//
// They reserve all of the workspace that they need before they write anything.
#pragma once

#include <cstdint>

#include "kernels/kernel_table.h"
#include "linear/workspace.h"
#include "simdrop/linear.hpp"
#include "simdrop/threads.hpp"

namespace simdrop::detail {

// y = kept ? activation(x weights^T + bias) * scale : 0.
template <class T>
struct LinearForward {
  MatrixView<const T> x, weights;
  const T* bias;  // or null
  Activation activation;
  bool dropout;       // false: keep_prob is 1, all is kept and scale is 1
  MaskSource source;  // of the mask: element (r, c) is its element r * y.cols + c; right without
                      // dropout, too
  T scale;
  MatrixView<T> y;
  std::uint8_t* mask;  // or null
};

// dx = dy weights, and where `stored` has data: stored > 0 ? dx * scale : 0.
template <class T>
struct LinearBackwardInput {
  MatrixView<const T> dy, weights;
  MatrixView<const T> stored;  // data null: none
  T scale;
  MatrixView<T> dx;
};

// dw = alpha dy^T x, db = alpha (sum of the rows of dy, in order), or += if accumulate.
template <class T>
struct LinearBackwardWeights {
  MatrixView<const T> dy, x;
  T alpha;
  bool accumulate;
  MatrixView<T> dw;
  T* db;  // or null
};

template <class T>
void linear_forward_impl(const KernelTable& table, const LinearForward<T>& call,
                         LinearWorkspace::State& workspace, Threads threads);
template <class T>
void linear_backward_input_impl(const KernelTable& table, const LinearBackwardInput<T>& call,
                                LinearWorkspace::State& workspace, Threads threads);
template <class T>
void linear_backward_weights_impl(const KernelTable& table, const LinearBackwardWeights<T>& call,
                                  LinearWorkspace::State& workspace, Threads threads);

}  // namespace simdrop::detail
