// The products of a linear layer as the kernels of an instruction set see them: the part of one
// that a call computes, and what is done to it on the way out, which linear/products.h shares.
//
//   forward:           y = dropout(relu(x weights^T + bias)), each step if it is wanted
//   backward_input:    dx = dy weights, and back through the dropout and ReLU that wrote `stored`
//   backward_weights:  dw = alpha dy^T x, db = alpha (column sums of dy), or an update by them
//
// x and dx are batch x ins, y, z and dy batch x outs, weights and dw outs x ins.
//
// Every element of a product is one chain, in order, that starts at +0: its bits depend neither on
// blocks nor on threads nor on what else is computed.
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

// A MatrixView whose shape is known: element (r, c) is data[r * ld + c].
template <class T>
struct Rows {
  T* data;
  std::size_t ld;
};

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

// Neuron dropout around a product, of floats alone. If it drops units, those of the product are the
// kept ones, while its weights (or dw, db, and their state) are those of all units.
template <class T>
struct KeptOfProduct {};
template <>
struct KeptOfProduct<float> {
  bool drops_units;  // false: the rest is not looked at
  KeptUnits outs, ins;
  // Null, or where forward puts the weights between kept units: outs x ins, ld at least
  // kept_ld(ins).
  Rows<float> weights;
};

// What forward does to z = x weights^T + bias.
template <class T>
struct ForwardEpilogue {
  const T* bias;  // outs values, or null
  bool relu;
  T scale;
  // Null: all kept; (r, c) is bit first_bit + r * bits_per_row + c. mask_slack more bytes are read.
  const std::uint8_t* bits;
  std::size_t first_bit, bits_per_row;
  Rows<T> z;  // null, or gets z
};

template <class T>
struct ForwardPart {
  std::size_t batch, outs, ins;
  const T* x;             // pack_rows: batch rows in panels of nr
  Rows<const T> weights;  // from the part's first output on, unless units are dropped
  KeptOfProduct<T> kept;
  std::size_t first_out;  // of the product's: where the part begins among kept outputs
  ForwardEpilogue<T> epilogue;
  Rows<T> y;
  T* scratch;  // scratch_size() of them, aligned to 64 bytes, as in the structs below
};

// What backward_input does to dx: stored > 0 ? dx * scale : 0, if stored is not null.
template <class T>
struct BackwardInputEpilogue {
  Rows<const T> stored;  // batch x ins
  T scale;
};

template <class T>
struct BackwardInputPart {
  std::size_t batch, outs, ins;
  Rows<const T> dy;  // pack_rows: batch rows in EvenSplit panels; or as it is, if ld is not 0
  Rows<const T> weights;
  BackwardInputEpilogue<T> epilogue;
  Rows<T> dx;
  T* scratch;
};

// What becomes of gradients: they are stored, added, or, of floats, used at once.
enum class Update : std::int32_t { store, add, sgd, adam };

template <class T>
struct GradientTarget {
  T* data;    // dw (or db), or the weights (or bias) that are updated
  T* first;   // momentum (may be null) or first moment
  T* second;  // second moment
  std::size_t ld;
};

// The step of an optimiser, of floats alone. Where units are dropped, their gradients are 0, or
// with `lazy` their weights and state are not touched.
template <class T>
struct OptimizerStep {};
template <>
struct OptimizerStep<float> {
  SgdParams sgd;
  AdamParams adam;
  double max_norm;  // of a row of updated weights, which has no gaps and all inputs then; 0: none
  bool lazy;
};

template <class T>
struct GradientUse {
  T alpha;
  Update update;
  GradientTarget<T> dw;
  GradientTarget<T> db;  // data null: no column sums
  OptimizerStep<T> step;
};

template <class T>
struct BackwardWeightsPart {
  std::size_t batch, outs, ins;
  Rows<const T> dy;
  // pack_cols: ins columns in panels of nr; or as it is, if ld is not 0: in whole vectors.
  Rows<const T> x;
  KeptOfProduct<T> kept;
  std::size_t first_out, first_in;  // of the product's: where the part begins among kept units
  GradientUse<T> use;               // from there on, unless units are dropped
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
  // `rows` examples in a call, backward_weights at most `batch`; `cols` are at least those of x, or
  // of dy in backward_input.
  std::size_t (*scratch_size)(std::size_t rows, std::size_t cols, std::size_t batch);
  void (*forward)(const ForwardPart<T>& part);
  void (*backward_input)(const BackwardInputPart<T>& part);
  void (*backward_weights)(const BackwardWeightsPart<T>& part);
};

}  // namespace simdrop::detail
