// DropoutUnit::neuron: the units that each group of a batch keeps, and what of the weights is
// between them. With DropoutUnit::element a batch is one group that keeps all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/buffer.h"
#include "kernels/gemm_arguments.h"
#include "mlp/model.h"

namespace simdrop::detail {

// Rows of a batch that share a mask: `rows` from `first` on.
struct Group {
  std::size_t index, first, rows;
};

class KeptLayers {
 public:
  // Allocates for batches of config().max_batch. The model must outlive it.
  explicit KeptLayers(const Model& model);

  // The groups that a batch of that config may have.
  [[nodiscard]] static std::size_t max_groups(const MlpConfig& config) noexcept;

  // A batch begins. Groups end where rows, by the caller's count, are multiples of their size; of
  // every layer all units are kept.
  void begin(std::size_t rows, std::uint64_t first_row);
  // Of a layer: group i keeps the units u whose bit i * width + u is set; null: none.
  void keep(std::size_t layer, const std::uint8_t* mask);

  [[nodiscard]] const std::vector<Group>& groups() const noexcept { return groups_; }
  // The batch as one group, where no layer drops any unit.
  [[nodiscard]] Group whole() const noexcept {
    return {0, 0, groups_.back().first + groups_.back().rows};
  }
  [[nodiscard]] bool drops_none() const noexcept;
  [[nodiscard]] const KeptUnits& units(std::size_t layer, const Group& group) const noexcept {
    return layers_[layer].units[group.index];
  }
  // Whether a layer drops units of the batch.
  [[nodiscard]] bool drops(std::size_t layer) const noexcept {
    return layers_[layer].units[0].index != nullptr;
  }
  // Of the kept units.
  [[nodiscard]] const float* bias(std::size_t layer, const Group& group) const noexcept {
    return layers_[layer].bias.get() + group.index * model_.width(layer);
  }
  // What the products of a layer leave out of the rows and columns of its weights. Of those there
  // is a place for the kept ones in layers from 2 on: layer 1 passes nothing back.
  [[nodiscard]] KeptOfProduct<float> of_product(std::size_t layer,
                                                const Group& group) const noexcept;
  [[nodiscard]] std::size_t weights_floats() const noexcept;

 private:
  // What is of group i begins at i times what one group takes.
  struct Layer {
    std::vector<KeptUnits> units;
    Buffer<std::uint32_t> index;
    Buffer<std::uint8_t> bits;
    Buffer<float> bias, weights;
  };

  void allocate(std::size_t layer);
  void keep_all(std::size_t layer);
  void keep_in_group(std::size_t layer, const Group& group, const std::uint8_t* mask);

  const Model& model_;
  std::vector<Layer> layers_;
  std::vector<Group> groups_;
};

}  // namespace simdrop::detail
