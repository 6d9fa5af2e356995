// What is done to the finished sums of a product on their way out, a vector at a time; they are in
// L1 or L2, where the micro-kernels left them.
#pragma once

#include <cstddef>

#include "kernels/gemm/pack.h"
#include "kernels/gemm_arguments.h"
#include "kernels/isa/isa.h"
#include "kernels/mask/bits.h"
#include "kernels/optimizer/tile.h"

namespace simdrop::detail {
namespace {

// Bias, ReLU and dropout on n outputs of some examples, a vector each; out and row are those of
// the first. Whole: n and count are the number of lanes.
template <class T, bool Whole, bool Bits>
inline void finish_examples(const ForwardProduct<T>& p, std::size_t row, std::size_t count,
                            std::size_t out, std::size_t n, const VecOf<T>* examples,
                            VecOf<T> bias) {
  constexpr std::size_t lanes = lanes_of<T>;
  const VecOf<T> scale(p.scale);
  const std::size_t last = Whole ? lanes : count;
  std::size_t bit = p.first_bit + row * p.bits_per_row + out;
  T* y = p.y + row * p.ld_y + out;
#pragma GCC unroll 16
  for (std::size_t i = 0; i < last; ++i, y += p.ld_y) {
    VecOf<T> z = examples[i];
    if (p.bias != nullptr) z = z + bias;
    if (p.z != nullptr) store_first(p.z + (row + i) * p.ld_z + out, z, n);
    if (p.relu) {
      z = relu_times(z, scale);
    } else if constexpr (Bits) {
      z = z * scale;
    }
    if constexpr (Bits) {
      z = select_bits(load_mask(p.bits, bit), z);
      bit += p.bits_per_row;
    }
    if constexpr (Whole) {
      store(y, z);
    } else {
      store_first(y, z, n);
    }
  }
}

// The sums of the forward product are outputs x examples: they are transposed on the way.
template <class T, bool Bits>
void finish_forward(const ForwardProduct<T>& p, const T* sums, std::size_t ld, std::size_t out,
                    std::size_t outs, std::size_t row, std::size_t rows) {
  constexpr std::size_t lanes = lanes_of<T>;
  for (std::size_t o = 0; o < outs; o += lanes) {
    const std::size_t n = smaller(lanes, outs - o);
    const VecOf<T> bias = p.bias != nullptr ? load_first(p.bias + out + o, n) : VecOf<T>(T{0});
    for (std::size_t r = 0; r < rows; r += lanes) {
      VecOf<T> examples[lanes];
      load_transposed(n, lanes, sums + o * ld + r, ld, examples);
      const std::size_t count = smaller(lanes, rows - r);
      if (n == lanes && count == lanes) {
        finish_examples<T, true, Bits>(p, row + r, count, out + o, n, examples, bias);
      } else {
        finish_examples<T, false, Bits>(p, row + r, count, out + o, n, examples, bias);
      }
    }
  }
}

// A vector of inputs of every example; n of its lanes count.
template <class T, bool Whole>
inline void finish_inputs(const BackwardInputProduct<T>& p, const T* sums, std::size_t ld,
                          std::size_t row, std::size_t rows, std::size_t in, std::size_t n) {
  const VecOf<T> scale(p.scale);
  const T* stored = p.stored != nullptr ? p.stored + row * p.ld_stored + in : nullptr;
  T* dx = p.dx + row * p.ld_dx + in;
  for (std::size_t r = 0; r < rows; ++r, sums += ld, dx += p.ld_dx) {
    VecOf<T> v = load(sums);
    if (p.stored != nullptr) {
      v = select_gt_zero(Whole ? load(stored) : load_first(stored, n), v * scale);
      stored += p.ld_stored;
    }
    if constexpr (Whole) {
      store(dx, v);
    } else {
      store_first(dx, v, n);
    }
  }
}

template <class T>
void finish_backward_input(const BackwardInputProduct<T>& p, const T* sums, std::size_t ld,
                           std::size_t row, std::size_t rows, std::size_t in, std::size_t ins) {
  constexpr std::size_t lanes = lanes_of<T>;
  for (std::size_t i = 0; i < ins; i += lanes) {
    const std::size_t n = smaller(lanes, ins - i);
    if (n == lanes) {
      finish_inputs<T, true>(p, sums + i, ld, row, rows, in + i, n);
    } else {
      finish_inputs<T, false>(p, sums + i, ld, row, rows, in + i, n);
    }
  }
}

// What becomes of a tile of sums; it may be overwritten.
template <class T>
inline void use_gradients(const BackwardWeightsProduct<T>& p, const GradientUse<T>& use,
                          std::size_t offset, T* sums, std::size_t ld, std::size_t rows,
                          std::size_t cols) {
  constexpr std::size_t lanes = lanes_of<T>;
  T* target = use.target + offset;
  if constexpr (sizeof(T) == sizeof(float)) {
    const SumTile tile{rows, cols, sums, ld, p.alpha, use.ld};
    if (use.update == Update::sgd) {
      sgd_tile(p.sgd, tile, target, use.first == nullptr ? nullptr : use.first + offset);
      return;
    }
    if (use.update == Update::adam) {
      adam_tile(p.adam, tile, target, use.first + offset, use.second + offset);
      return;
    }
  }
  const VecOf<T> alpha(p.alpha);
  const bool add = use.update == Update::add;
  for (std::size_t r = 0; r < rows; ++r, sums += ld, target += use.ld) {
    for (std::size_t i = 0; i < cols; i += lanes) {
      const VecOf<T> gradient = alpha * load(sums + i);
      const std::size_t n = smaller(lanes, cols - i);
      if (n == lanes) {
        store(target + i, add ? load(target + i) + gradient : gradient);
      } else {
        store_first(target + i, add ? load_first(target + i, n) + gradient : gradient, n);
      }
    }
  }
}

}  // namespace
}  // namespace simdrop::detail
