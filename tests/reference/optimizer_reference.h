// SGD, Adam and AdamW in double, from the formulas in PyTorch's documentation (torch.optim.SGD,
// Adam, AdamW) and the papers (arXiv 1412.6980, 1711.05101): the oracle of src/mlp/optimizer.cpp.
#pragma once

#include <cstddef>
#include <vector>

#include "reference/bounded.h"

namespace reference {

enum class Method { sgd, adam, adamw };

struct Hyperparameters {
  Method method = Method::sgd;
  double learning_rate = 0.01;
  double momentum = 0.0;
  bool nesterov = false;
  double weight_decay = 0.0;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double max_norm = 0.0;       ///< 0: no constraint
  std::size_t row_length = 0;  ///< of the rows that max_norm constrains
};

/// One parameter array. Call step() once per optimiser step. A step may touch some parameters
/// alone: the others and their state stay, and rows with none that is touched meet no constraint.
class ReferenceOptimizer {
 public:
  ReferenceOptimizer(const Hyperparameters& hyperparameters, std::size_t size)
      : hyper_(hyperparameters), first_(size), second_(size) {}

  void set_learning_rate(double learning_rate) { hyper_.learning_rate = learning_rate; }
  void step(std::vector<Bounded>& weights, const std::vector<Bounded>& gradient,
            const std::vector<bool>& touched = {});

 private:
  Bounded sgd(Bounded w, Bounded g, Bounded& buffer) const;
  Bounded adam(Bounded w, Bounded g, Bounded& m, Bounded& v) const;
  void limit_norm(Bounded* row) const;

  Hyperparameters hyper_;
  int t_ = 0;
  std::vector<Bounded> first_;
  std::vector<Bounded> second_;
};

}  // namespace reference
