// The textbook MLP with inverted dropout, in plain double loops: the oracle of src/mlp. Every
// number comes with the error that float arithmetic may make on the way to it.
//
// Sources: Goodfellow, Bengio and Courville, "Deep Learning", chapter 6.5 (back-propagation);
// Srivastava et al., "Dropout", JMLR 15 (2014), inverted form.
#pragma once

#include <cstddef>
#include <vector>

#include "reference/bounded.h"

namespace reference {

struct Tensor {
  std::size_t rows = 0;
  std::size_t cols = 0;
  std::vector<Bounded> values;

  Tensor() = default;
  Tensor(std::size_t rows_, std::size_t cols_) : rows(rows_), cols(cols_), values(rows_ * cols_) {}
  Bounded& operator()(std::size_t r, std::size_t c) { return values[r * cols + c]; }
  const Bounded& operator()(std::size_t r, std::size_t c) const { return values[r * cols + c]; }
};

enum class Head { sigmoid_bce, softmax_ce, identity_mse };

/// Layers are counted from 1; index 0 of weights and bias is unused. keep_prob[0] is the input's.
struct Network {
  Head head = Head::softmax_ce;
  std::vector<Tensor> weights;  // out x in
  std::vector<Tensor> bias;     // 1 x out
  std::vector<double> keep_prob;

  std::size_t layers() const { return weights.size() - 1; }
};

/// Kept or not, element (r, c) of layer l at [l][r * width + c], l = 0 (the input) ... layers - 1.
using Masks = std::vector<std::vector<bool>>;

/// Index 0 is the input (only a[0] is used).
struct Pass {
  std::vector<Tensor> z, a, da, dz, dw, db;
  Bounded loss;
  /// Units whose sign float arithmetic cannot tell. A test should demand none.
  std::size_t ambiguous_gates = 0;
};

Pass forward(const Network& network, const Tensor& x, const Masks& masks);

/// Fills in the loss and the gradients. targets: batch x outputs, one-hot for softmax_ce.
void backward(const Network& network, const Tensor& targets, const Masks& masks, Pass& pass);

}  // namespace reference
