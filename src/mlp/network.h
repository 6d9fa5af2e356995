// The state of an Mlp and its passes. Arguments have been checked by then (mlp.cpp).
//
// A pass is one parallel region; functions that take a TeamMember are called by every member of its
// team, and leave the barrier that their result needs to the caller, unless they say otherwise.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/buffer.h"
#include "kernels/kernel_table.h"
#include "linear/products.h"
#include "mlp/optimizer_access.h"
#include "mlp/pass_memory.h"
#include "simdrop/matrix.hpp"
#include "simdrop/mlp.hpp"
#include "simdrop/threads.hpp"

namespace simdrop::detail {

// Rows of a batch that share a mask with DropoutUnit::neuron; else all of them.
struct Group {
  std::size_t index, first, rows;
};

// DropoutUnit::neuron: the units that each group of the last forward() keeps, and what it copied
// together of them. What is of group i begins at i times what one group takes.
struct KeptOfLayer {
  std::vector<KeptUnits> units;  // with DropoutUnit::element, and where nothing is dropped: all
  Buffer<std::uint32_t> index;
  Buffer<std::uint8_t> bits;
  Buffer<float> bias;     // of the kept units
  Buffer<float> weights;  // from the kept inputs to the kept units; layer 1 needs none
  // In record mode, batch x width with +0 where a unit was dropped, for readers.
  Buffer<float> z, a, da, dz;
};

// Everything of one layer; layer 0 is the input. Matrices are batch x width, without padding; with
// DropoutUnit::neuron a group has the kept units alone in z, a, da and dz, from first * width on.
struct Layer {
  std::size_t width = 0;
  KeptOfLayer kept;
  // Not of the input.
  Buffer<float> weights, bias, dw, db;
  Buffer<float> dz;
  Buffer<float> z;  // of the last layer always, of the others in record mode
  // After dropout; of the input only if dropout acts on it, and then its rows have gaps.
  Buffer<float> a;
  Buffer<float> da;           // record mode only
  Buffer<std::uint8_t> mask;  // not of the last layer; of the input in record mode only

  std::vector<std::uint8_t> injected;  // the caller's mask bits, or empty
  // Of the last forward(): the mask is null where all is kept.
  double forward_keep_prob = 1.0;
  const std::uint8_t* forward_mask = nullptr;

  // Of z, a, da and dz.
  [[nodiscard]] std::size_t columns(const Group& group) const noexcept {
    return kept.units[group.index].count;
  }
  [[nodiscard]] float* kept_weights(const Group& group, std::size_t ins) const noexcept {
    return kept.weights.get() + group.index * width * kept_ld(ins);
  }
};

class Network {
 public:
  explicit Network(const MlpConfig& config);

  // threads: as PassMemory::reserve() gave them.
  ConstMatrix forward(ConstMatrix x, std::uint64_t step, std::uint64_t first_row,
                      const Threads& threads);
  double backward(const Targets& targets, const Threads& threads);
  // forward(), backward() and the update, which takes place in the epilogue of dW where gradients
  // need not be kept. Returns the loss.
  double train_step(ConstMatrix x, const Targets& targets, Optimizer& optimizer,
                    std::uint64_t first_row, const Threads& threads);

  // Threads for a pass over `rows` examples that multiplies every weight `times` times with each.
  Threads team_for(const Threads& threads, std::size_t rows, double times) const noexcept;
  const KernelTable& table() const noexcept { return table_; }
  std::size_t last() const noexcept { return layers.size() - 1; }
  double& keep_prob(std::size_t layer);
  double keep_prob(std::size_t layer) const;
  Matrix weights(std::size_t layer) const;
  std::span<float> bias(std::size_t layer) const;
  // Of the last forward(); not of what DropoutUnit::neuron acts on.
  ConstMatrix activation(std::size_t layer) const;
  bool neuron() const noexcept { return config.dropout_unit == DropoutUnit::neuron; }
  // Bits of the mask of a layer: of an injected one, and in the last forward().
  std::size_t injected_size(std::size_t layer) const noexcept;
  std::size_t mask_size(std::size_t layer) const noexcept;
  std::size_t workspace_bytes() const noexcept;

  // The product of a layer without dropout.
  ForwardProduct<float> inference_call(std::size_t layer, ConstMatrix x, Matrix y) const;
  // Activation of the last layer from its z and, unless targets is null, loss and gradient.
  void finish_outputs(const TeamMember& member, const OutputRows& outputs,
                      const Targets* targets) const;

  MlpConfig config;  // keep_prob is filled in
  PassMemory memory;
  std::vector<Layer> layers;
  ConstMatrix input;              // of the last forward(), after the dropout of elements
  std::size_t forward_rows = 0;   // batch of the last forward(); 0 = there was none
  std::size_t backward_rows = 0;  // and of the last backward()
  bool has_gradients = false;     // whether that left dw and db

 private:
  // Where a backward pass puts gradients: with no optimiser, in dw and db. With `keep` there, too.
  using Updates = const OptimizerAccess*;

  void allocate();
  void allocate_kept(std::size_t layer);

  void begin_forward(ConstMatrix x, std::uint64_t step, std::uint64_t first_row);
  void choose_mask(std::size_t layer);
  std::size_t max_groups() const noexcept;
  void choose_groups(std::uint64_t first_row);
  void choose_units(std::size_t layer, std::uint64_t step, std::uint64_t first_row);
  void keep_units(Layer& layer, const Group& group, const std::uint8_t* mask);
  void keep_all(Layer& layer) const;
  // What the products of a layer leave out of the rows and columns of its weights.
  KeptOfProduct<float> kept_of(std::size_t layer, const Group& group) const noexcept;
  ConstMatrix activation(std::size_t layer, const Group& group) const;  // of kept units
  MaskSource mask_source(std::size_t layer, std::uint64_t step, std::uint64_t first_row) const;
  void draw_mask(const TeamMember& member, std::size_t layer, std::uint64_t step,
                 std::uint64_t first_row) const;
  void forward_input(const TeamMember& member, ConstMatrix x, std::uint64_t step,
                     std::uint64_t first_row) const;
  void gather_input(const TeamMember& member, ConstMatrix x) const;
  void forward_pass(const TeamMember& member, ConstMatrix x, std::uint64_t step,
                    std::uint64_t first_row) const;
  void clear_dropped(const TeamMember& member, const Layer& layer) const;
  ForwardProduct<float> forward_call(std::size_t layer, const Group& group) const;
  void forward_group(const TeamMember& member, const Group& group, std::uint64_t step,
                     std::uint64_t first_row) const;
  void record_forward(const TeamMember& member) const;
  OutputRows outputs_of_batch() const noexcept;

  double mean_of_losses() const noexcept;
  void backward_pass(const TeamMember& member, Updates updates, bool keep) const;
  void backward_group(const TeamMember& member, const Group& group, Updates updates,
                      bool keep) const;
  void record_backward(const TeamMember& member) const;
  BackwardInputProduct<float> input_call(std::size_t layer, const Group& group) const;
  BackwardWeightsProduct<float> weights_call(std::size_t layer, const Group& group,
                                             Updates updates) const;
  void record_da(const TeamMember& member, const Layer& hidden, const Group& group) const;

  const KernelTable& table_;
  std::vector<Group> groups_;  // of the last forward()
  Buffer<double> losses_;      // of each row
};

}  // namespace simdrop::detail
