// The gradient of the inputs: examples x inputs.
#pragma once

#include <cstddef>

#include "kernels/gemm/epilogue.h"
#include "kernels/gemm/micro.h"
#include "kernels/gemm/pack.h"
#include "kernels/gemm/tile.h"
#include "kernels/gemm_arguments.h"
#include "kernels/isa/isa.h"

namespace simdrop::detail {
namespace {

// The products of one panel of W (or of W where it lies) with all examples, into n columns of c,
// which are those from `in` on.
template <class T>
inline void multiply_panel(const BackwardInputPart<T>& p, std::size_t in, std::size_t n,
                           std::size_t q, std::size_t k, const T* w, std::size_t ld_w, T* c,
                           std::size_t ldc, T* panel, const T* next) {
  const EvenSplit tiles(p.batch, tile_mr);
  for (std::size_t t = 0; t < tiles.count; ++t) {
    const std::size_t first = tiles.begin(t);
    const std::size_t m = tiles.size(t);
    T* to = c + first * ldc;
    if (p.dy.ld != 0) {
      const MicroOperands<T> operands{p.dy.data + first * p.dy.ld + q, p.dy.ld, w, ld_w};
      call_micro<T, true>(m, n, k, operands, to, ldc, q != 0);
    } else {
      const MicroOperands<T> operands{p.dy.data + first * p.outs + q * m, m, w, ld_w};
      if (t == 0 && next != nullptr) {
        call_micro<T, false>(m, n, k, RightCopied<T>{operands, panel, next}, to, ldc, q != 0);
        w = panel;
        ld_w = nr_of<T>;
      } else {
        call_micro<T, false>(m, n, k, operands, to, ldc, q != 0);
      }
    }
    if (c == p.scratch && q + k >= p.outs) finish_backward_input(p, to, ldc, first, m, in, n);
  }
}

template <class T>
void backward_input_product(const BackwardInputPart<T>& p) {
  constexpr std::size_t nr = nr_of<T>;
  T* panel = p.scratch + p.batch * nr;
  const bool w_in_place = fits_l1<T>(p.outs, p.weights.ld);
  for (std::size_t in = 0; in < p.ins; in += nr) {
    const std::size_t n = smaller(nr, p.ins - in);
    const bool whole = n % lanes_of<T> == 0;
    const bool c_in_place = whole && p.epilogue.stored.data == nullptr;
    T* c = c_in_place ? p.dx.data + in : p.scratch;
    const std::size_t ldc = c_in_place ? p.dx.ld : nr;
    for (std::size_t q = 0; q == 0 || q < p.outs; q += kc) {
      const std::size_t k = smaller(kc, p.outs - q);
      const T* w = p.weights.data + q * p.weights.ld + in;
      if (w_in_place && whole) {
        multiply_panel<T>(p, in, n, q, k, w, p.weights.ld, c, ldc, nullptr, nullptr);
      } else if (n == nr && p.dy.ld == 0) {
        const T* next_panel = p.weights.data + (in + 2 * nr <= p.ins ? in + nr : 0);
        const T* next = p.outs - q - k >= right_prefetch_rows ? w + k * p.weights.ld : next_panel;
        multiply_panel<T>(p, in, n, q, k, w, p.weights.ld, c, ldc, panel, next);
      } else {
        pack_cols(n, k, w, p.weights.ld, nr, panel);
        multiply_panel<T>(p, in, n, q, k, panel, nr, c, ldc, nullptr, nullptr);
      }
    }
  }
}

}  // namespace
}  // namespace simdrop::detail
