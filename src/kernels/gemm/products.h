// The three products of a linear layer, for the range that one thread computes. What is large, the
// weights, is read once, and a piece of it at a time is copied to where it stays in L1; what is
// small, a block of the batch, is packed and stays in L2.
#pragma once

#include <cstddef>

#include "kernels/gemm/epilogue.h"
#include "kernels/gemm/kept_units.h"
#include "kernels/gemm/micro.h"
#include "kernels/gemm/pack.h"
#include "kernels/gemm/tile.h"
#include "kernels/gemm_arguments.h"
#include "kernels/isa/isa.h"
#include "kernels/optimizer/norm.h"

namespace simdrop::detail {
namespace {

// Rows of a macro-tile: outputs that are finished together.
template <class T>
constexpr std::size_t macro_rows = tile_macro_vectors* lanes_of<T>;

template <class T>
constexpr std::size_t round_up_to(std::size_t n, std::size_t multiple) {
  return (n + multiple - 1) / multiple * multiple;
}

// The leading dimension of gradients, and what the sums of a bias take.
template <class T>
constexpr std::size_t gradient_ld(std::size_t ins) {
  return round_up_to<T>(ins, nr_of<T>) + 64 / sizeof(T);
}
template <class T>
constexpr std::size_t bias_sums_size = round_up_to<T>(tile_mr, lanes_of<T>) + lanes_of<T>;

template <class T>
std::size_t scratch_size(std::size_t rows, std::size_t k, std::size_t batch) {
  const std::size_t forward =
      macro_rows<T> * round_up_to<T>(rows, nr_of<T>) + tile_mr * row_stride<T>;
  const std::size_t input = (rows + smaller(k, kc)) * nr_of<T>;
  const std::size_t weights = tile_mr * gradient_ld<T>(k) + bias_sums_size<T> + batch * tile_mr;
  const std::size_t most = forward > input ? forward : input;
  return round_up_to<T>(most > weights ? most : weights, 64 / sizeof(T));
}

// What is copied of W after k elements from q on of m rows from `row` on; the same again where
// fewer follow.
template <class T>
inline const T* next_to_copy(const ForwardProduct<T>& p, std::size_t row, std::size_t m,
                             std::size_t q, std::size_t k) {
  const T* w = p.w + row * p.ld_w;
  if (p.k - q - k >= left_prefetch_vectors * lanes_of<T>) return w + q + k;
  return row + 2 * m <= p.outs && p.k >= left_prefetch_vectors * lanes_of<T> ? w + m * p.ld_w
                                                                             : w + q;
}

template <class T>
void forward_product(const ForwardProduct<T>& p) {
  constexpr std::size_t nr = nr_of<T>;
  const std::size_t ld = round_up_to<T>(p.batch, nr);
  T* sums = p.scratch;
  T* copy = sums + macro_rows<T> * ld;
  const bool compresses = p.rows != nullptr || p.columns.index != nullptr;
  const bool copies = !compresses && !fits_l1<T>(p.outs, p.ld_w);
  for (std::size_t out = 0; out < p.outs; out += macro_rows<T>) {
    const std::size_t outs = smaller(macro_rows<T>, p.outs - out);
    const EvenSplit tiles(outs, tile_mr);
    for (std::size_t t = 0; t < tiles.count; ++t) {
      const std::size_t m = tiles.size(t);
      const std::size_t first = out + tiles.begin(t);
      T* c = sums + tiles.begin(t) * ld;
      for (std::size_t q = 0; q == 0 || q < p.k; q += kc) {
        const std::size_t k = smaller(kc, p.k - q);
        const T* w = p.w + first * p.ld_w + q;
        MicroOperands<T> operands{w, p.ld_w, p.x + q * nr, nr};
        if (compresses) {
          operands = compress_weights(p, first, m, q, k, operands, copy);
        } else if (copies) {
          operands.a = copy;
          operands.a_ld = row_stride<T>;
        }
        // Examples are finished as soon as the last products of the macro-tile are there, which
        // hides behind the ones of the next examples.
        const bool last = t + 1 == tiles.count && q + k >= p.k;
        for (std::size_t r = 0; r < p.batch; r += nr, operands.b += nr * p.k) {
          const std::size_t rows = smaller(nr, p.batch - r);
          if (r == 0 && copies) {
            const LeftCopied<T> source{
                {w, p.ld_w, operands.b, nr}, copy, next_to_copy(p, first, m, q, k)};
            call_micro<T, true>(m, rows, k, source, c, ld, q != 0);
          } else if (r == 0 && compresses) {
            multiply_compressed(p, first, m, q, rows, k, operands, c, ld);
          } else {
            call_micro<T, true>(m, rows, k, operands, c + r, ld, q != 0);
          }
          if (last && p.bits != nullptr) {
            finish_forward<T, true>(p, sums + r, ld, out, outs, r, rows);
          } else if (last) {
            finish_forward<T, false>(p, sums + r, ld, out, outs, r, rows);
          }
        }
      }
    }
  }
}

// The products of one panel of W (or of W where it lies) with all examples, into n columns of c,
// which are those from `in` on.
template <class T>
inline void multiply_panel(const BackwardInputProduct<T>& p, std::size_t in, std::size_t n,
                           std::size_t q, std::size_t k, const T* w, std::size_t ld_w, T* c,
                           std::size_t ldc, T* panel, const T* next) {
  const EvenSplit tiles(p.batch, tile_mr);
  for (std::size_t t = 0; t < tiles.count; ++t) {
    const std::size_t first = tiles.begin(t);
    const std::size_t m = tiles.size(t);
    T* to = c + first * ldc;
    if (p.ld_dy != 0) {
      const MicroOperands<T> operands{p.dy + first * p.ld_dy + q, p.ld_dy, w, ld_w};
      call_micro<T, true>(m, n, k, operands, to, ldc, q != 0);
    } else {
      const MicroOperands<T> operands{p.dy + first * p.k + q * m, m, w, ld_w};
      if (t == 0 && next != nullptr) {
        call_micro<T, false>(m, n, k, RightCopied<T>{operands, panel, next}, to, ldc, q != 0);
        w = panel;
        ld_w = nr_of<T>;
      } else {
        call_micro<T, false>(m, n, k, operands, to, ldc, q != 0);
      }
    }
    if (c == p.scratch && q + k >= p.k) finish_backward_input(p, to, ldc, first, m, in, n);
  }
}

template <class T>
void backward_input_product(const BackwardInputProduct<T>& p) {
  constexpr std::size_t nr = nr_of<T>;
  T* panel = p.scratch + p.batch * nr;
  const bool w_in_place = fits_l1<T>(p.k, p.ld_w);
  for (std::size_t in = 0; in < p.ins; in += nr) {
    const std::size_t n = smaller(nr, p.ins - in);
    const bool whole = n % lanes_of<T> == 0;
    const bool c_in_place = whole && p.stored == nullptr;
    T* c = c_in_place ? p.dx + in : p.scratch;
    const std::size_t ldc = c_in_place ? p.ld_dx : nr;
    for (std::size_t q = 0; q == 0 || q < p.k; q += kc) {
      const std::size_t k = smaller(kc, p.k - q);
      const T* w = p.w + q * p.ld_w + in;
      if (w_in_place && whole) {
        multiply_panel<T>(p, in, n, q, k, w, p.ld_w, c, ldc, nullptr, nullptr);
      } else if (n == nr && p.ld_dy == 0) {
        const T* next_panel = p.w + (in + 2 * nr <= p.ins ? in + nr : 0);
        const T* next = p.k - q - k >= right_prefetch_rows ? w + k * p.ld_w : next_panel;
        multiply_panel<T>(p, in, n, q, k, w, p.ld_w, c, ldc, panel, next);
      } else {
        pack_cols(n, k, w, p.ld_w, nr, panel);
        multiply_panel<T>(p, in, n, q, k, panel, nr, c, ldc, nullptr, nullptr);
      }
    }
  }
}

// Sums of the columns of a panel, examples in order.
template <class T>
void bias_gradients(const BackwardWeightsProduct<T>& p, std::size_t out, std::size_t m,
                    const T* panel, std::size_t ld, T* sums) {
  constexpr std::size_t lanes = lanes_of<T>;
  for (std::size_t i = 0; i < m; i += lanes) {
    const std::size_t n = smaller(lanes, m - i);
    VecOf<T> sum(T{0});
    const T* from = panel + i;
    for (std::size_t r = 0; r < p.batch; ++r, from += ld) sum = sum + load_first(from, n);
    store(sums + i, sum);
  }
  if constexpr (sizeof(T) == sizeof(float)) {
    if (p.drops_units) {
      use_kept_bias(p, p.first_out + out, m, sums);
      return;
    }
  }
  use_gradients(p, p.bias, out, sums, 0, 1, m);
}

// The sums of m outputs and n <= nr inputs over the batch, from a panel of dy and x.
template <class T>
inline void multiply_tile(const BackwardWeightsProduct<T>& p, std::size_t m, std::size_t in,
                          std::size_t n, const T* panel, std::size_t ld_panel, T* c,
                          std::size_t ldc) {
  constexpr std::size_t nr = nr_of<T>;
  for (std::size_t q = 0; q == 0 || q < p.batch; q += kc) {
    const std::size_t k = smaller(kc, p.batch - q);
    const T* x = p.ld_x != 0 ? p.x + q * p.ld_x + in : p.x + in * p.batch + q * nr;
    const MicroOperands<T> operands{panel + q * ld_panel, ld_panel, x, p.ld_x != 0 ? p.ld_x : nr};
    call_micro<T, false>(m, n, k, operands, c, ldc, q != 0);
  }
}

// Gradients of m outputs. All products come first, then rows of weights are updated from end to
// end, which memory streams faster than a tile of each; what is only stored goes tile by tile.
template <class T>
inline void gradient_rows(const BackwardWeightsProduct<T>& p, std::size_t out, std::size_t m,
                          const T* panel, std::size_t ld_panel) {
  constexpr std::size_t nr = nr_of<T>;
  const std::size_t ld = gradient_ld<T>(p.ins);
  const std::size_t offset = out * p.weights.ld;
  const bool stores = p.weights.update == Update::store && !p.drops_units;
  // Sums that are the gradients, in whole vectors, need nothing done.
  const bool in_target = stores && p.alpha == T{1} && p.ins % lanes_of<T> == 0;
  for (std::size_t in = 0; in < p.ins && m > 0; in += nr) {
    const std::size_t n = smaller(nr, p.ins - in);
    T* c = in_target ? p.weights.target + offset + in : p.scratch + (stores ? 0 : in);
    multiply_tile(p, m, in, n, panel, ld_panel, c, in_target ? p.weights.ld : ld);
    if (stores && !in_target) use_gradients(p, p.weights, offset + in, c, ld, m, n);
  }
  if (stores) return;
  if (!p.drops_units) {
    use_gradients(p, p.weights, offset, p.scratch, ld, m, p.ins);
  } else if constexpr (sizeof(T) == sizeof(float)) {
    const GradientRow row{p.in_units, run_begin(p.in_units, p.first_in),
                          run_end(p.in_units, p.first_in + p.ins), VecF(p.alpha)};
    use_kept_tile(p, {p.first_out + out, m, row}, p.scratch, ld);
  }
}

template <class T>
void limit_rows(const BackwardWeightsProduct<T>& p, std::size_t out, std::size_t m) {
  if constexpr (sizeof(T) == sizeof(float)) {
    if (p.max_norm == 0.0) return;
    if (!p.drops_units) {
      limit_norms_f32(p.max_norm, m, p.ins, p.weights.target + out * p.weights.ld);
    } else {
      limit_kept_norms(p, p.first_out + out, m);
    }
  }
}

// With no output kept, all gradients are 0.
template <class T>
void update_without_outputs(const BackwardWeightsProduct<T>& p) {
  if constexpr (sizeof(T) == sizeof(float)) {
    if (p.bias.target != nullptr) use_kept_bias(p, 0, 0, p.scratch);
    gradient_rows(p, 0, 0, static_cast<const T*>(nullptr), 0);
    limit_rows(p, 0, 0);
  }
}

template <class T>
void backward_weights_product(const BackwardWeightsProduct<T>& p) {
  const EvenSplit tiles(p.outs, tile_mr);
  T* sums = p.scratch + tile_mr * gradient_ld<T>(p.ins);
  T* packed = sums + bias_sums_size<T>;
  if (p.drops_units && p.outs == 0) update_without_outputs(p);
  for (std::size_t t = 0; t < tiles.count; ++t) {
    const std::size_t out = tiles.begin(t);
    const std::size_t m = tiles.size(t);
    // A single tile without padding between its rows is a panel already.
    const bool in_place = m == p.ld_dy || fits_l1<T>(p.batch, p.ld_dy);
    if (!in_place) pack_cols(m, p.batch, p.dy + out, p.ld_dy, m, packed);
    const T* panel = in_place ? p.dy + out : packed;
    const std::size_t ld_panel = in_place ? p.ld_dy : m;
    if (p.bias.target != nullptr) bias_gradients(p, out, m, panel, ld_panel, sums);
    gradient_rows(p, out, m, panel, ld_panel);
    limit_rows(p, out, m);
  }
}

template <class T>
constexpr ProductKernels<T> product_kernels() {
  return {.mr = tile_mr,
          .nr = nr_of<T>,
          .vector = lanes_of<T>,
          .pack_rows = pack_rows<T>,
          .pack_cols = pack_cols<T>,
          .scratch_size = scratch_size<T>,
          .forward = forward_product<T>,
          .backward_input = backward_input_product<T>,
          .backward_weights = backward_weights_product<T>};
}

}  // namespace
}  // namespace simdrop::detail
