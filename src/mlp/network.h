// The state of an Mlp and its passes. Arguments have been checked by then (mlp.cpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "kernel_table.h"
#include "mlp/buffer.h"
#include "simdrop/matrix.hpp"
#include "simdrop/mlp.hpp"

namespace simdrop::detail {

// Everything of one layer; layer 0 is the input. Matrices are batch x width, without padding.
struct Layer {
  std::size_t width = 0;
  // Not of the input.
  Buffer<float> weights, bias, dw, db;
  Buffer<float> dz;
  Buffer<float> z;  // of the last layer always, of the others in record mode
  // After dropout; of the input only if dropout acts on it.
  Buffer<float> a;
  // Record mode only.
  Buffer<float> da;
  Buffer<std::uint8_t> mask;

  std::vector<std::uint8_t> injected;  // the caller's mask bits, or empty
  double used_keep_prob = 1.0;         // in the last forward()
};

// Rows first_row ... of the caller's numbering, in samples first_sample ...
struct SamplePass {
  std::uint64_t first_sample;
  std::size_t samples;
  std::uint64_t first_row;
  std::size_t rows;
};

// Of Monte Carlo dropout, for max_batch rows.
struct SampleBuffers {
  Buffer<float> input;   // after dropout
  Buffer<float> shared;  // the last product before any dropout
  Buffer<float> out;
  Buffer<double> mean, squares;
};

class Network {
 public:
  explicit Network(const MlpConfig& config);

  ConstMatrix forward(ConstMatrix x, std::uint64_t step, std::uint64_t first_row);
  double backward(const Targets& targets);
  void predict(ConstMatrix x, Matrix out);
  void predict_monte_carlo(ConstMatrix x, std::size_t samples, std::uint64_t first_sample,
                           std::uint64_t first_row, Matrix mean, Matrix variance);

  std::size_t last() const noexcept { return layers.size() - 1; }
  int team() const noexcept;
  double& keep_prob(std::size_t layer);
  Matrix weights(std::size_t layer) const;
  std::span<float> bias(std::size_t layer) const;
  ConstMatrix activation(std::size_t layer) const;  // of the last forward()

  MlpConfig config;  // keep_prob is filled in
  std::vector<Layer> layers;
  ConstMatrix input;              // of the last forward(), after dropout
  std::size_t forward_rows = 0;   // batch of the last forward(); 0 = there was none
  std::size_t backward_rows = 0;  // and of the last backward()

 private:
  void allocate();
  std::size_t workspace_size() const noexcept;
  MaskSource mask_source(std::size_t layer, std::uint64_t step, std::uint64_t first_row) const;
  std::uint8_t* prepare_mask(std::size_t layer);
  void linear(ConstMatrix x, std::size_t layer, float* y, std::size_t ld);
  void add_bias_and_activate(std::size_t layer, Matrix z, Matrix a);
  void forward_input(ConstMatrix x, std::uint64_t step, std::uint64_t first_row);
  void forward_hidden(std::size_t layer, std::uint64_t step, std::uint64_t first_row);
  double output_gradient(const Targets& targets);
  void parameter_gradients(std::size_t layer);
  void propagate(std::size_t layer);
  void record_da(const Layer& hidden);
  ConstMatrix hidden_few(ConstMatrix x, std::size_t end);
  void output_few(ConstMatrix x, Matrix out);
  void predict_few(ConstMatrix x, Matrix out);
  std::size_t first_dropped();
  void drop_samples(std::size_t layer, const SamplePass& pass, ConstMatrix in, Matrix y);
  void sample_outputs(std::size_t first, const SamplePass& pass, ConstMatrix base);
  void add_samples(std::size_t done, const SamplePass& pass);
  void write_moments(std::size_t samples, Matrix mean, Matrix variance) const;

  const KernelTable& table_;
  Buffer<float> workspace_;  // packed panels
  Buffer<double> losses_;    // of each row
  Buffer<float> predict_[2];
  SampleBuffers samples_;
};

}  // namespace simdrop::detail
