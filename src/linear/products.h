// The products of a linear layer, shared by a team of threads. Each is two functions that every
// member calls, with a barrier between them: pack_...() copies the activations into panels that all
// read, multiply_...() computes the member's part of the output. Before the shared panels are
// packed anew, or the output is read, there must be another barrier.
//
// Source: Goto and van de Geijn, "Anatomy of high-performance matrix multiplication", ACM TOMS 34
// (2008), with the copied operand in L1 and the packed one in L2.
#pragma once

#include <cstddef>

#include "kernels/kernel_table.h"
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

// The products as the caller sees them: of the structs in product_kernels.h, the pointers to panels
// and to scratch are filled in here, and batch, outs, ins and k are the whole.
template <class T>
struct ForwardCall {
  ForwardProduct<T> product;
  const T* x;  // batch x k
  std::size_t ld_x;
};
template <class T>
struct BackwardInputCall {
  BackwardInputProduct<T> product;
  const T* dy;  // batch x k
  std::size_t ld_dy;
};
template <class T>
struct BackwardWeightsCall {
  BackwardWeightsProduct<T> product;
  const T* x;  // batch x ins
  std::size_t ld_x;
};

template <class T>
void pack(const KernelTable& table, const TeamMember& member, const ForwardCall<T>& call,
          const ProductBuffers<T>& buffers);
template <class T>
void multiply(const KernelTable& table, const TeamMember& member, const ForwardCall<T>& call,
              const ProductBuffers<T>& buffers);

template <class T>
void pack(const KernelTable& table, const TeamMember& member, const BackwardInputCall<T>& call,
          const ProductBuffers<T>& buffers);
template <class T>
void multiply(const KernelTable& table, const TeamMember& member, const BackwardInputCall<T>& call,
              const ProductBuffers<T>& buffers);

template <class T>
void pack(const KernelTable& table, const TeamMember& member, const BackwardWeightsCall<T>& call,
          const ProductBuffers<T>& buffers);
template <class T>
void multiply(const KernelTable& table, const TeamMember& member,
              const BackwardWeightsCall<T>& call, const ProductBuffers<T>& buffers);

}  // namespace simdrop::detail
