// The products of a linear layer, shared by a team of threads. Each is two functions that every
// member calls, with a barrier between them: pack() copies the activations into panels that all
// read, multiply() computes the member's part of the output. Before the shared panels are packed
// anew, or the output is read, there must be another barrier.
//
// Source: Goto and van de Geijn, "Anatomy of high-performance matrix multiplication", ACM TOMS 34
// (2008), with the copied operand in L1 and the packed one in L2.
#pragma once

#include <cstddef>

#include "kernels/kernel_table.h"
#include "simdrop/matrix.hpp"
#include "threading/parallel.h"

namespace simdrop::detail {

struct LinearShape {
  std::size_t batch, ins, outs;
};

// Where panels are packed, and what a kernel needs for itself: `scratch_stride` apart for each
// member.
template <class T>
struct ProductBuffers {
  T* panels;
  T* scratch;
  std::size_t scratch_stride;
};

// Elements of `panels` for forward; for backward_input and backward_weights, which follow each
// other there; and of scratch for one member. None falls as the shape grows.
template <class T>
std::size_t forward_panels(const KernelTable& table, const LinearShape& shape) noexcept;
// Where the panels of backward_weights begin there, behind those of backward_input.
template <class T>
std::size_t backward_weights_offset(const LinearShape& shape) noexcept;
template <class T>
std::size_t backward_panels(const KernelTable& table, const LinearShape& shape) noexcept;
template <class T>
std::size_t product_scratch(const KernelTable& table, const LinearShape& shape) noexcept;

// Whole products; their formulas, and what is done to the output, stand in gemm_arguments.h. What a
// caller does not set is zero, which asks for nothing.
template <class T>
struct ForwardProduct {
  MatrixView<const T> x;        // batch x ins
  MatrixView<const T> weights;  // outs x ins
  ForwardEpilogue<T> epilogue{};
  MatrixView<T> y;  // batch x outs
  KeptOfProduct<T> kept{};
};
template <class T>
struct BackwardInputProduct {
  MatrixView<const T> dy;       // batch x outs
  MatrixView<const T> weights;  // outs x ins
  BackwardInputEpilogue<T> epilogue{};
  MatrixView<T> dx;  // batch x ins
};
template <class T>
struct BackwardWeightsProduct {
  MatrixView<const T> dy;  // batch x outs
  MatrixView<const T> x;   // batch x ins
  GradientUse<T> use{};    // of dw, outs x ins, and db
  KeptOfProduct<T> kept{};
};

template <class T>
void pack(const KernelTable& table, const TeamMember& member, const ForwardProduct<T>& product,
          const ProductBuffers<T>& buffers);
template <class T>
void multiply(const KernelTable& table, const TeamMember& member, const ForwardProduct<T>& product,
              const ProductBuffers<T>& buffers);

template <class T>
void pack(const KernelTable& table, const TeamMember& member,
          const BackwardInputProduct<T>& product, const ProductBuffers<T>& buffers);
template <class T>
void multiply(const KernelTable& table, const TeamMember& member,
              const BackwardInputProduct<T>& product, const ProductBuffers<T>& buffers);

template <class T>
void pack(const KernelTable& table, const TeamMember& member,
          const BackwardWeightsProduct<T>& product, const ProductBuffers<T>& buffers);
template <class T>
void multiply(const KernelTable& table, const TeamMember& member,
              const BackwardWeightsProduct<T>& product, const ProductBuffers<T>& buffers);

}  // namespace simdrop::detail
