/// @file
/// Predictions of one Mlp from many threads at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "simdrop/api.h"
#include "simdrop/matrix.hpp"
#include "simdrop/mlp.hpp"
#include "simdrop/requirements.hpp"
#include "simdrop/threads.hpp"

namespace simdrop {

/// Predicts with the weights of an Mlp that others predict with at the same time: it reads the Mlp
/// and writes nothing but its own buffers. One for each thread that calls; one object must not be
/// used from two threads at once. Weights are not copied: the Mlp must outlive it (it may be
/// moved), and while a Predictor predicts nobody may train it or change its weights. Changes
/// between calls are seen. Move-only.
class SIMDROP_API Predictor {
 public:
  /// max_batch: rows that pass the network together, at least 1; memory is that many times the
  /// widths of two layers, and some. threads: who runs its calls, unless a call says otherwise.
  /// Throws std::invalid_argument naming the argument that is out of its range, std::bad_alloc.
  Predictor(const Mlp& mlp, std::size_t max_batch, Threads threads = 1);
  ~Predictor();
  /// Leaves an object that may only be assigned to or destroyed.
  Predictor(Predictor&&) noexcept;
  Predictor& operator=(Predictor&&) noexcept;  ///< the same

  /// As Mlp::predict() of an Mlp with this max_batch, bit for bit. out must not overlap the Mlp's
  /// memory either.
  void predict(ConstMatrix x, Matrix out, std::optional<Threads> threads = {});

  /// As Mlp::predict_monte_carlo(), bit for bit, whatever max_batch is.
  void predict_monte_carlo(ConstMatrix x, std::size_t samples, Matrix mean, Matrix variance,
                           std::uint64_t first_sample = 0, std::uint64_t first_row = 0,
                           std::optional<Threads> threads = {});

  /// The same: predict_monte_carlo(x, mean, variance, {.samples = 50, .threads = 2}).
  void predict_monte_carlo(ConstMatrix x, Matrix mean, Matrix variance,
                           const MonteCarloOptions& options) {
    predict_monte_carlo(x, options.samples, mean, variance, options.first_sample, options.first_row,
                        options.threads);
  }

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace simdrop
