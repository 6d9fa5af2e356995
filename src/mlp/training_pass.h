// A batch on its way through a model and back: its activations, masks and gradients. Arguments have
// been checked by then (mlp.cpp).
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
#include "mlp/kept_units.h"
#include "mlp/layer_mask.h"
#include "mlp/model.h"
#include "mlp/optimizer_access.h"
#include "mlp/own_memory.h"
#include "mlp/pass_memory.h"
#include "simdrop/matrix.hpp"
#include "simdrop/mlp.hpp"
#include "simdrop/threads.hpp"

namespace simdrop::detail {

// Examples, and what numbers their masks.
struct Batch {
  ConstMatrix x;
  std::uint64_t step, first_row;
};

class TrainingPass {
 public:
  // Allocates for batches of config().max_batch. Both must outlive it.
  TrainingPass(Model& model, const PassMemory& memory);

  // threads: as PassMemory::reserve() gave them.
  ConstMatrix forward(const Batch& batch, const Threads& threads);
  // Leaves dw and db. Returns the loss, of the batch of the last forward().
  double backward(const Targets& targets, const Threads& threads);
  // forward(), backward() and the update, which takes place in the epilogue of dW where gradients
  // need not be kept. Returns the loss.
  double train_step(const Batch& batch, const Targets& targets, Optimizer& optimizer,
                    const Threads& threads);

  void inject_mask(std::size_t layer, std::span<const std::uint8_t> bits);
  // The injected masks of a pass over a model of the same widths.
  void copy_injected(const TrainingPass& other);
  [[nodiscard]] std::size_t injected_bits(std::size_t layer) const noexcept;
  [[nodiscard]] std::size_t kept_weights_floats() const noexcept { return kept_.weights_floats(); }

  // All that readers get views of, here and of the model.
  [[nodiscard]] const OwnMemory& own_memory() const noexcept { return own_memory_; }

  // Of the last forward() and backward(); 0 rows: there was none.
  [[nodiscard]] std::size_t forward_rows() const noexcept { return forward_rows_; }
  [[nodiscard]] std::size_t backward_rows() const noexcept { return backward_rows_; }
  [[nodiscard]] bool has_gradients() const noexcept { return has_gradients_; }
  // For readers, of all units.
  [[nodiscard]] ConstMatrix z(std::size_t layer) const;
  [[nodiscard]] ConstMatrix a(std::size_t layer) const;
  [[nodiscard]] std::span<const std::uint8_t> mask(std::size_t layer) const;
  [[nodiscard]] ConstMatrix da(std::size_t layer) const;
  [[nodiscard]] ConstMatrix dz(std::size_t layer) const;
  [[nodiscard]] ConstMatrix dw(std::size_t layer) const;
  [[nodiscard]] std::span<const float> db(std::size_t layer) const;

 private:
  // Of the units that are kept, where a layer drops some: batch x width with +0 for the others.
  struct Recorded {
    Buffer<float> z, a, da, dz;
  };
  // Matrices are batch x width, without padding; with DropoutUnit::neuron a group has the kept
  // units alone in z, a, da and dz, from first * width on.
  struct Layer {
    LayerMask mask;        // not of the last layer
    Buffer<float> dw, db;  // not of the input, as dz
    Buffer<float> dz;
    Buffer<float> z;  // of the last layer always, of the others in record mode
    Buffer<float> a;  // after dropout; of the input only if that drops, and then its rows have gaps
    Buffer<float> da;   // of hidden layers in record mode
    Recorded recorded;  // with DropoutUnit::neuron in record mode, but for the last layer
  };
  // Where a backward pass puts gradients: with no optimiser, in dw and db.
  using Updates = const OptimizerAccess*;

  // training_pass.cpp
  void allocate(std::size_t layer);
  Buffer<float> floats(std::size_t n);
  void begin(const Batch& batch);
  [[nodiscard]] std::size_t mask_bits(std::size_t layer) const noexcept;
  void choose_units(std::size_t layer, const Batch& batch);
  [[nodiscard]] Stream mask_stream(std::size_t layer, std::uint64_t step) const noexcept;
  [[nodiscard]] ConstMatrix activation(std::size_t layer, const Group& group) const;
  [[nodiscard]] OutputRows outputs() const noexcept;
  [[nodiscard]] double mean_of_losses() const noexcept;

  // forward.cpp
  void forward_pass(const TeamMember& member, const Batch& batch) const;
  void drop_input(const TeamMember& member, const Batch& batch) const;
  void gather_input(const TeamMember& member, ConstMatrix x) const;
  void forward_group(const TeamMember& member, const Batch& batch, const Group& group) const;
  [[nodiscard]] ForwardProduct<float> forward_product(std::size_t layer, const Group& group) const;
  void draw_mask(const TeamMember& member, std::size_t layer, const Batch& batch) const;
  void clear_dropped(const TeamMember& member, std::size_t layer) const;

  // backward.cpp
  void backward_pass(const TeamMember& member, Updates updates, bool keep) const;
  void backward_group(const TeamMember& member, const Group& group, Updates updates,
                      bool keep) const;
  void backward_whole(const TeamMember& member) const;
  [[nodiscard]] BackwardInputProduct<float> input_product(std::size_t layer,
                                                          const Group& group) const;
  [[nodiscard]] BackwardWeightsProduct<float> weights_product(std::size_t layer, const Group& group,
                                                              Updates updates) const;
  void update(Optimizer& optimizer, const Threads& threads);

  // record.cpp
  void record_da(const TeamMember& member, std::size_t layer, const Group& group) const;
  void record_forward(const TeamMember& member) const;
  void record_backward(const TeamMember& member) const;

  Model& model_;
  const PassMemory& memory_;
  OwnMemory own_memory_;
  std::vector<Layer> layers_;
  KeptLayers kept_;
  Buffer<double> losses_;  // of each row
  ConstMatrix input_;      // of the last forward(), after the dropout of elements
  std::size_t forward_rows_ = 0, backward_rows_ = 0;
  bool has_gradients_ = false;
};

}  // namespace simdrop::detail
