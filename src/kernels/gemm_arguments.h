// The products of a linear layer as the kernels of an instruction set see them: operands that are
// packed, the part of the output that one thread computes, and what is done to it on the way out.
//
// Every element of a product is one chain over k, in order, that starts at +0: its bits depend
// neither on blocks nor on threads nor on what else is computed.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/optimizer_arguments.h"

namespace simdrop::detail {

// Bytes behind a mask that a forward product may read.
inline constexpr std::size_t mask_slack = 8;

// Operands of at most so many bytes, with their gaps, are used where they lie: half of L1 at most.
inline constexpr std::size_t in_place_bytes = 16384;
template <class T>
[[gnu::always_inline]] constexpr bool fits_l1(std::size_t rows, std::size_t ld) {
  return rows * ld <= in_place_bytes / sizeof(T);
}

// The units of a layer that take part in a product: `count` of `units`, which all are if index is
// null. The others have left the network.
struct KeptUnits {
  std::size_t count, units;
  const std::uint32_t* index;  // of each kept one, ascending
  const std::uint8_t* bits;    // unit u is kept iff bit u is set; mask_slack more bytes are read
};

// Floats between the rows of kept weights: vectors of them may be written beyond a row, and rows
// stay out of each other's cache sets.
constexpr std::size_t kept_ld(std::size_t count) {
  constexpr std::size_t line = 16;
  return ((count + 2 * line - 1) / line | 1) * line;
}

// y = dropout(relu(x W^T + bias)), each step if it is wanted: all of the batch, some outputs.
template <class T>
struct ForwardProduct {
  std::size_t batch, outs, k;
  const T* x;  // pack_rows: batch rows in panels of nr
  const T* w;  // outs x k, but for what the next four say
  std::size_t ld_w;
  // Float only: which row of w output i takes, which columns of w the inputs are (k is their
  // count), and where to put what they have in common, outs x k. Null, in columns its index: all
  // rows, all columns, nowhere.
  const std::uint32_t* rows;
  KeptUnits columns;
  T* kept_w;
  std::size_t ld_kept_w;  // at least kept_ld(k)
  const T* bias;          // outs values, or null
  bool relu;
  T scale;
  // Null: all kept; (r, c) is bit first_bit + r * bits_per_row + c. mask_slack more bytes are read.
  const std::uint8_t* bits;
  std::size_t first_bit, bits_per_row;
  T* y;  // batch x outs
  std::size_t ld_y;
  T* z;  // null, or gets x W^T + bias
  std::size_t ld_z;
  T* scratch;  // scratch_size() of them, aligned to 64 bytes, as in the structs below
};

// dx = dy W, and stored > 0 ? dx * scale : 0 if stored is not null: all of the batch, some inputs.
template <class T>
struct BackwardInputProduct {
  std::size_t batch, ins, k;
  const T* dy;  // pack_rows: batch rows in EvenSplit panels; or as it is, if ld_dy is not 0
  std::size_t ld_dy;
  const T* w;  // k x ins
  std::size_t ld_w;
  const T* stored;  // batch x ins, or null
  std::size_t ld_stored;
  T scale;
  T* dx;  // batch x ins
  std::size_t ld_dx;
  T* scratch;
};

enum class Update : std::int32_t { store, add, sgd, adam };

// What becomes of a gradient: it is stored, added, or used at once.
template <class T>
struct GradientUse {
  Update update;
  T* target;  // dw (or db), or the weights (or bias)
  T* first;   // momentum (may be null) or first moment
  T* second;  // second moment
  std::size_t ld;
};

// g = alpha dy^T x and its column sums: some outputs, all inputs.
template <class T>
struct BackwardWeightsProduct {
  std::size_t batch, outs, ins;
  const T* dy;  // batch x outs
  std::size_t ld_dy;
  // pack_cols: ins columns in panels of nr; or as it is, if ld_x is not 0: in whole vectors.
  const T* x;
  std::size_t ld_x;
  T alpha;
  GradientUse<T> weights;
  GradientUse<T> bias;  // target null: no column sums
  SgdParams sgd;
  AdamParams adam;
  double max_norm;  // of a row of updated weights, which has no gaps and all inputs then; 0: none
  // Float only: outs and ins are the kept units from first_out and first_in on, while the targets
  // and their state are those of all units, and begin with the first of them. The gradients of
  // dropped units are 0, or with `lazy` their targets and state are not touched: not for store, and
  // always for add.
  bool drops_units;
  bool lazy;
  KeptUnits out_units, in_units;
  std::size_t first_out, first_in;
  T* scratch;
};

// `rows` in tiles of at most `most`, as equal as can be; tile i starts at row begin(i).
// Always inline: kernels use it, and must share no function with the rest of the program.
struct EvenSplit {
  std::size_t rows, count;
  [[gnu::always_inline]] constexpr EvenSplit(std::size_t rows_, std::size_t most)
      : rows(rows_), count((rows_ + most - 1) / most) {}
  [[nodiscard, gnu::always_inline]] constexpr std::size_t begin(std::size_t tile) const {
    return rows * tile / count;
  }
  [[nodiscard, gnu::always_inline]] constexpr std::size_t size(std::size_t tile) const {
    return begin(tile + 1) - begin(tile);
  }
};

template <class T>
struct ProductKernels {
  // A micro-kernel computes at most mr x nr elements at once. Threads split outputs (inputs in
  // backward_input) at multiples of `vector`, the elements of one.
  std::uint32_t mr, nr, vector;

  // A panel of `width` rows for all of k: element (i, p) at panel[p * width + i], from row i at
  // src + i * ld (pack_rows: a transposition) or at src + i, its elements ld apart (pack_cols).
  // Rows beyond `rows` are +0 up to a whole vector of rows, and unspecified behind it: a
  // product looks at no other vectors. Neither writes outside the width * k elements of the panel.
  void (*pack_rows)(std::size_t rows, std::size_t k, const T* src, std::size_t ld,
                    std::size_t width, T* panel);
  void (*pack_cols)(std::size_t rows, std::size_t k, const T* src, std::size_t ld,
                    std::size_t width, T* panel);

  // Elements of scratch that suffice for each of the three: forward and backward_input get at most
  // `rows` examples in a call and at most k, backward_weights at most `batch` examples and k
  // inputs.
  std::size_t (*scratch_size)(std::size_t rows, std::size_t k, std::size_t batch);
  void (*forward)(const ForwardProduct<T>& product);
  void (*backward_input)(const BackwardInputProduct<T>& product);
  void (*backward_weights)(const BackwardWeightsProduct<T>& product);
};

}  // namespace simdrop::detail
