// Predictions of a model that nobody changes meanwhile, with buffers of their own: any number of
// these may share one. Arguments have been checked by then (call_check.h).
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/buffer.h"
#include "mlp/model.h"
#include "mlp/pass_memory.h"
#include "simdrop/matrix.hpp"
#include "simdrop/threads.hpp"

namespace simdrop::detail {

// The samples of Monte Carlo dropout that a call asks for, and the number of its first row.
struct Samples {
  std::size_t count;
  std::uint64_t first, first_row;
};

// Of Monte Carlo dropout, for max_batch rows.
struct SampleBuffers {
  Buffer<float> input;   // after dropout
  Buffer<float> shared;  // the last product before any dropout
  Buffer<float> out;
  Buffer<double> mean, squares;
};

class Inference {
 public:
  // Both must outlive it. memory: for max_batch rows.
  Inference(const Model& model, std::size_t max_batch, PassMemory& memory);

  void predict(ConstMatrix x, Matrix out, const Threads& threads) const;
  void predict_monte_carlo(ConstMatrix x, const Samples& samples, Matrix mean, Matrix variance,
                           const Threads& threads) const;

 private:
  void finish(const TeamMember& member, Matrix out) const;
  void predict_chunk(const TeamMember& member, ConstMatrix x, Matrix out) const;

  ConstMatrix hidden_few(const TeamMember& member, ConstMatrix x, std::size_t end) const;
  void output_few(const TeamMember& member, ConstMatrix x, Matrix out) const;
  void predict_few(const TeamMember& member, ConstMatrix x, Matrix out) const;
  std::size_t first_dropped() const;
  // A pass has `rows` rows for each of some samples.
  void drop_samples(const TeamMember& member, std::size_t layer, const Samples& pass,
                    std::size_t rows, ConstMatrix in, Matrix y) const;
  void sample_outputs(const TeamMember& member, std::size_t first, const Samples& pass,
                      std::size_t rows, ConstMatrix base) const;
  void add_samples(const TeamMember& member, std::size_t done, const Samples& pass,
                   std::size_t rows) const;
  void monte_carlo_chunk(const TeamMember& member, ConstMatrix x, const Samples& samples) const;
  void write_moments(std::size_t samples, Matrix mean, Matrix variance) const;

  const Model& model_;
  std::size_t max_batch_;
  PassMemory& memory_;
  Buffer<float> hidden_[2];
  SampleBuffers samples_;
};

}  // namespace simdrop::detail
