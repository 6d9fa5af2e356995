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

class Network {
 public:
  explicit Network(const MlpConfig& config);

  ConstMatrix forward(ConstMatrix x, std::uint64_t step, std::uint64_t first_row);
  double backward(const Targets& targets);
  // The same as forward() and then backward(), with one pass over the outputs.
  double forward_backward(ConstMatrix x, const Targets& targets, std::uint64_t step,
                          std::uint64_t first_row);
  void predict(ConstMatrix x, Matrix out);

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
  void finish_output(const OutputRows& output, const Targets* targets);
  OutputRows output_of_batch(const float* bias) const;
  void forward_to_output(ConstMatrix x, std::uint64_t step, std::uint64_t first_row);
  void forward_input(ConstMatrix x, std::uint64_t step, std::uint64_t first_row);
  void forward_hidden(std::size_t layer, std::uint64_t step, std::uint64_t first_row);
  double mean_of_losses() const;
  double backward_from_output();
  void parameter_gradients(std::size_t layer);
  void propagate(std::size_t layer);
  void record_da(const Layer& hidden);

  const KernelTable& table_;
  Buffer<float> workspace_;  // packed panels
  Buffer<double> losses_;    // of each row
  Buffer<float> predict_[2];
};

}  // namespace simdrop::detail
