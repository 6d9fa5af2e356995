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
inline void finish_examples(const ForwardPart<T>& p, std::size_t row, std::size_t count,
                            std::size_t out, std::size_t n, const VecOf<T>* examples,
                            VecOf<T> bias) {
  constexpr std::size_t lanes = lanes_of<T>;
  const ForwardEpilogue<T>& e = p.epilogue;
  const VecOf<T> scale(e.scale);
  const std::size_t last = Whole ? lanes : count;
  std::size_t bit = e.first_bit + row * e.bits_per_row + out;
  T* y = p.y.data + row * p.y.ld + out;
#pragma GCC unroll 16
  for (std::size_t i = 0; i < last; ++i, y += p.y.ld) {
    VecOf<T> z = examples[i];
    if (e.bias != nullptr) z = z + bias;
    if (e.z.data != nullptr) store_first(e.z.data + (row + i) * e.z.ld + out, z, n);
    if (e.relu) {
      z = relu_times(z, scale);
    } else if constexpr (Bits) {
      z = z * scale;
    }
    if constexpr (Bits) {
      z = select_bits(load_mask(e.bits, bit), z);
      bit += e.bits_per_row;
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
void finish_forward(const ForwardPart<T>& p, const T* sums, std::size_t ld, std::size_t out,
                    std::size_t outs, std::size_t row, std::size_t rows) {
  constexpr std::size_t lanes = lanes_of<T>;
  for (std::size_t o = 0; o < outs; o += lanes) {
    const std::size_t n = smaller(lanes, outs - o);
    const T* from = p.epilogue.bias;
    const VecOf<T> bias = from != nullptr ? load_first(from + out + o, n) : VecOf<T>(T{0});
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
inline void finish_inputs(const BackwardInputPart<T>& p, const T* sums, std::size_t ld,
                          std::size_t row, std::size_t rows, std::size_t in, std::size_t n) {
  const BackwardInputEpilogue<T>& e = p.epilogue;
  const VecOf<T> scale(e.scale);
  const T* stored = e.stored.data != nullptr ? e.stored.data + row * e.stored.ld + in : nullptr;
  T* dx = p.dx.data + row * p.dx.ld + in;
  for (std::size_t r = 0; r < rows; ++r, sums += ld, dx += p.dx.ld) {
    VecOf<T> v = load(sums);
    if (e.stored.data != nullptr) {
      v = select_gt_zero(Whole ? load(stored) : load_first(stored, n), v * scale);
      stored += e.stored.ld;
    }
    if constexpr (Whole) {
      store(dx, v);
    } else {
      store_first(dx, v, n);
    }
  }
}

template <class T>
void finish_backward_input(const BackwardInputPart<T>& p, const T* sums, std::size_t ld,
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

// What becomes of a tile of sums, at `offset` in its target: it is stored or added. The tile may be
// overwritten.
template <class T>
inline void use_gradients(const GradientUse<T>& use, const GradientTarget<T>& to,
                          std::size_t offset, T* sums, std::size_t ld, std::size_t rows,
                          std::size_t cols) {
  constexpr std::size_t lanes = lanes_of<T>;
  T* target = to.data + offset;
  const VecOf<T> alpha(use.alpha);
  const bool add = use.update == Update::add;
  for (std::size_t r = 0; r < rows; ++r, sums += ld, target += to.ld) {
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

// Floats may also be used in an optimiser's step.
inline void use_gradients(const GradientUse<float>& use, const GradientTarget<float>& to,
                          std::size_t offset, float* sums, std::size_t ld, std::size_t rows,
                          std::size_t cols) {
  const SumTile tile{rows, cols, sums, ld, use.alpha, to.ld};
  if (use.update == Update::sgd) {
    float* momentum = to.first == nullptr ? nullptr : to.first + offset;
    sgd_tile(use.step.sgd, tile, to.data + offset, momentum);
  } else if (use.update == Update::adam) {
    adam_tile(use.step.adam, tile, to.data + offset, to.first + offset, to.second + offset);
  } else {
    use_gradients<float>(use, to, offset, sums, ld, rows, cols);
  }
}

}  // namespace
}  // namespace simdrop::detail
