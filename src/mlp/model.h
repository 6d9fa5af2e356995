// What a network is: the units of its layers, what connects them, and how likely each is kept. All
// that inference reads. Layers are counted from 1; layer 0 is the input.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "base/buffer.h"
#include "kernels/kernel_table.h"
#include "linear/products.h"
#include "simdrop/matrix.hpp"
#include "simdrop/mlp.hpp"
#include "simdrop/threads.hpp"
#include "threading/team.h"

namespace simdrop::detail {

class Model {
 public:
  // The config has been checked. Weights start as it says, biases at 0.
  explicit Model(const MlpConfig& config);
  // The weights and biases of `other`, which has the same widths.
  Model(const MlpConfig& config, const Model& other);

  // With every keep_prob filled in.
  [[nodiscard]] const MlpConfig& config() const noexcept { return config_; }
  [[nodiscard]] const KernelTable& table() const noexcept { return table_; }
  [[nodiscard]] std::size_t last() const noexcept { return config_.widths.size() - 1; }
  [[nodiscard]] std::size_t width(std::size_t layer) const noexcept {
    return config_.widths[layer];
  }
  [[nodiscard]] bool drops_neurons() const noexcept {
    return config_.dropout_unit == DropoutUnit::neuron;
  }

  [[nodiscard]] double keep_prob(std::size_t layer) const noexcept;
  void set_keep_prob(std::size_t layer, double keep_prob) noexcept;

  [[nodiscard]] Matrix weights(std::size_t layer) noexcept;
  [[nodiscard]] ConstMatrix weights(std::size_t layer) const noexcept;
  [[nodiscard]] std::span<float> bias(std::size_t layer) noexcept;
  [[nodiscard]] std::span<const float> bias(std::size_t layer) const noexcept;

  // Threads for a pass over `rows` examples that multiplies every weight `times` times with each.
  [[nodiscard]] Threads team_for(const Threads& threads, std::size_t rows,
                                 double times) const noexcept;
  // What layer `layer` computes from x without dropout. y: A, or Z of the last layer.
  [[nodiscard]] ForwardProduct<float> product(std::size_t layer, ConstMatrix x,
                                              Matrix y) const noexcept;
  // A member's share of the last layer's activation, from its Z, and unless targets is null of the
  // losses and their gradient.
  void finish_outputs(const TeamMember& member, const OutputRows& outputs,
                      const Targets* targets) const;

 private:
  void allocate();

  MlpConfig config_;
  const KernelTable& table_;
  std::vector<Buffer<float>> weights_, biases_;  // of layer l at l - 1
};

}  // namespace simdrop::detail
