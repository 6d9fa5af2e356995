/// @file
/// Optimisers of the MLP runtime: SGD, Adam and AdamW, as PyTorch defines them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "simdrop/api.h"
#include "simdrop/requirements.hpp"
#include "simdrop/threads.hpp"

namespace simdrop {

class SIMDROP_CONTAINERS Mlp;

namespace detail {
struct [[gnu::visibility("hidden")]] OptimizerAccess;
}

/// Which rule; OptimizerConfig has the formulas.
enum class OptimizerKind {
  sgd,   ///< gradient descent, with momentum if that is not 0
  adam,  ///< weight decay as part of the gradient
  adamw  ///< weight decay beside it
};

/// Hyperparameters. All of them must be finite; see the ranges beside them. All but max_norm are
/// used as floats, and must be in their ranges when rounded to float too: momentum .99999999 is 1
/// then, and an error. max_norm is used as a double, but must not be 0 as a float.
struct SIMDROP_API OptimizerConfig {
  OptimizerKind kind = OptimizerKind::sgd;  ///< which rule
  double learning_rate = 0.01;              ///< >= 0
  double momentum = 0.0;                    ///< SGD: v = momentum * v + g; w -= lr * v. In [0, 1)
  bool nesterov = false;      ///< SGD: w -= lr * (g + momentum * v). Needs momentum > 0
  double weight_decay = 0.0;  ///< >= 0. SGD, Adam: g += wd * w. AdamW: w -= lr * wd * w too
  double beta1 = 0.9;         ///< Adam, AdamW: in [0, 1)
  double beta2 = 0.999;       ///< Adam, AdamW: in [0, 1)
  double epsilon = 1e-8;      ///< Adam, AdamW: added to sqrt(v_hat), > 0
  double max_norm = 0.0;      ///< 0: none, else > 0: most that the norm of a row may be
};

/// Holds the state (momentum, moments, step count) for a fixed list of parameter arrays.
/// Weight decay applies to every parameter, biases too, as in PyTorch; 0 leaves the term out.
/// max_norm constrains the weights into each unit: a row whose Euclidean norm is above max_norm
/// after its update is scaled to that norm. It applies to arrays that update() is told the row
/// length of, weights but not biases. State (momentum, moments) is not scaled.
/// Sources: Srivastava et al., JMLR 15 (2014), section 5.1, and Hinton et al., arXiv 1207.0580
/// (max-norm); Sutskever et al., ICML 2013 (momentum, Nesterov, in PyTorch's form); Kingma and Ba,
/// arXiv 1412.6980; Loshchilov and Hutter, arXiv 1711.05101.
/// One object must not be used from two threads at once. Copies are independent; one that fails for
/// lack of memory leaves what was to be assigned to as it was.
class SIMDROP_API SIMDROP_CONTAINERS Optimizer {
 public:
  /// sizes: the number of elements of each parameter array. State starts at zero.
  /// Throws std::invalid_argument naming the field that is out of its range, std::bad_alloc.
  Optimizer(const OptimizerConfig& config, std::vector<std::size_t> sizes);
  /// For the parameters of a network: sizes are its parameter_sizes().
  Optimizer(const OptimizerConfig& config, const Mlp& mlp);
  ~Optimizer() = default;
  Optimizer(const Optimizer&) = default;  ///< a copy
  /// Leaves an object that may only be assigned to or destroyed.
  Optimizer(Optimizer&&) noexcept = default;
  Optimizer& operator=(const Optimizer& other) { return *this = Optimizer(other); }  ///< a copy
  Optimizer& operator=(Optimizer&&) noexcept = default;  ///< as the move constructor

  /// As given, and as set_learning_rate() left it.
  [[nodiscard]] const OptimizerConfig& config() const noexcept { return config_; }
  /// The number of elements of each parameter array.
  [[nodiscard]] const std::vector<std::size_t>& sizes() const noexcept { return sizes_; }
  /// Steps begun so far.
  [[nodiscard]] std::uint64_t step_count() const noexcept { return step_; }

  /// Sets the learning rate from the next step on. Throws std::invalid_argument if it is negative
  /// or, as a float, not finite.
  void set_learning_rate(double learning_rate);

  /// Starts a step: call it once, then update() once for each parameter array. Allocates nothing.
  /// (A network trains, and checkpoints are read, while step_count() < 2^40.)
  void begin_step() noexcept { ++step_; }

  /// Updates parameter array `index` in place from its gradient, in one pass.
  /// weights and gradient: as long as sizes[index], not overlapping. NaN and Inf spread as the
  /// formulas say. threads: who runs the call; the result does not depend on it.
  /// row_length: of a row under max_norm, a divisor of sizes[index]; 0 = no constraint on this
  /// array. A scaled row is w * (max_norm / norm) in double, rounded once, so its norm exceeds
  /// max_norm by a relative 2^-23 at most. A row with a NaN or an Inf has no norm: it stays as the
  /// update left it, so that a divergence is seen and spreads to no other weight.
  /// Throws std::invalid_argument on a wrong index, length or row length, on an overlap, on
  /// threads.count < 0, or before the first begin_step(); then nothing is written. Allocates
  /// nothing.
  void update(std::size_t index, std::span<float> weights, std::span<const float> gradient,
              Threads threads = 1, std::size_t row_length = 0);

 private:
  [[gnu::visibility("hidden")]] void check_update(std::size_t index, std::size_t weights,
                                                  std::size_t gradient, Threads threads,
                                                  std::size_t row_length) const;

  OptimizerConfig config_;
  std::vector<std::size_t> sizes_;
  std::uint64_t step_ = 0;
  std::vector<std::vector<float>> first_;   // momentum, or Adam's first moment; empty if unused
  std::vector<std::vector<float>> second_;  // Adam's second moment; empty if unused

  friend struct detail::OptimizerAccess;
};

}  // namespace simdrop
