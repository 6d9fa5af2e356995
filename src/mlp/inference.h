// Predictions of a network that nobody changes meanwhile, with buffers of their own: any number of
// these may share one network. Arguments have been checked by then (predictor.cpp).
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/buffer.h"
#include "mlp/network.h"
#include "mlp/pass_memory.h"
#include "simdrop/matrix.hpp"
#include "simdrop/threads.hpp"

namespace simdrop::detail {

// Rows first_row ... of the caller's numbering, in samples first_sample ...
struct SamplePass {
  std::uint64_t first_sample;
  std::size_t samples;
  std::uint64_t first_row;
  std::size_t rows;
};

// Rows of one call, and all of its samples.
struct SampleChunk {
  ConstMatrix x;
  std::size_t samples;
  std::uint64_t first_sample, first_row;
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
  Inference(const Network& network, std::size_t max_batch, PassMemory& memory);

  void predict(ConstMatrix x, Matrix out, const Threads& threads) const;
  void predict_monte_carlo(ConstMatrix x, std::size_t samples, std::uint64_t first_sample,
                           std::uint64_t first_row, Matrix mean, Matrix variance,
                           const Threads& threads) const;

 private:
  void finish(const TeamMember& member, Matrix out) const;
  void predict_chunk(const TeamMember& member, ConstMatrix x, Matrix out) const;

  ConstMatrix hidden_few(const TeamMember& member, ConstMatrix x, std::size_t end) const;
  void output_few(const TeamMember& member, ConstMatrix x, Matrix out) const;
  void predict_few(const TeamMember& member, ConstMatrix x, Matrix out) const;
  std::size_t first_dropped() const;
  void drop_samples(const TeamMember& member, std::size_t layer, const SamplePass& pass,
                    ConstMatrix in, Matrix y) const;
  void sample_outputs(const TeamMember& member, std::size_t first, const SamplePass& pass,
                      ConstMatrix base) const;
  void add_samples(const TeamMember& member, std::size_t done, const SamplePass& pass) const;
  void monte_carlo_chunk(const TeamMember& member, const SampleChunk& chunk) const;
  void write_moments(std::size_t samples, Matrix mean, Matrix variance) const;

  const Network& network_;
  std::size_t max_batch_;
  PassMemory& memory_;
  Buffer<float> hidden_[2];
  SampleBuffers samples_;
};

}  // namespace simdrop::detail
