// What readers get of a pass, and what record mode stores for them.
#include <algorithm>

#include "mask/mask_source.h"
#include "mlp/training_pass.h"
#include "simdrop/mask.hpp"
#include "threading/parallel.h"

namespace simdrop::detail {
namespace {

// Some rows of a group: columns of `kept` where their units are, +0 elsewhere.
void scatter(const KeptUnits& kept, const Range& rows, const float* from, std::size_t ld,
             float* to) {
  for (std::size_t r = rows.begin; r < rows.end; ++r) {
    float* row = to + r * kept.units;
    std::fill(row, row + kept.units, 0.0F);
    for (std::size_t i = 0; i < kept.count; ++i) {
      row[kept.index == nullptr ? i : kept.index[i]] = from[r * ld + i];
    }
  }
}

}  // namespace

// dA after mask and scale, and dZ, from dA before them (which lies in dz). Ends with a barrier.
void TrainingPass::record_da(const TeamMember& member, std::size_t l, const Group& group) const {
  const Layer& layer = layers_[l];
  const std::size_t n = kept_.units(l, group).count;
  const Range rows =
      share_of(member, group.rows, 8, elements_per_thread / std::max<std::size_t>(n, 1));
  if (!rows.empty() && n > 0) {
    const MaskSource all_kept = make_mask_source({});
    const MaskSource source =
        model_.drops_neurons()
            ? all_kept
            : make_mask_source({.keep_prob = layer.mask.keep_prob()}, layer.mask.memory());
    const float scale = dropout_scale(layer.mask.keep_prob());
    const std::size_t offset = group.first * model_.width(l) + rows.begin * n;
    const Shape2D shape{rows.end - rows.begin, n, n, n};
    float* dz = layer.dz.get() + offset;
    const auto& kernels = model_.table().f32;
    kernels.dropout(advance(source, rows.begin * n), scale, shape, dz, layer.da.get() + offset,
                    nullptr);
    kernels.relu_dropout_backward(scale, shape, layer.a.get() + offset, dz, n, dz);
  }
  member.barrier();
}

void TrainingPass::record_forward(const TeamMember& member) const {
  if (!model_.drops_neurons() || !model_.config().record) return;
  for (const Group& group : kept_.groups()) {
    const Range rows = share_of(member, group.rows, 1, 1);
    for (std::size_t l = 0; l < model_.last(); ++l) {
      const Layer& layer = layers_[l];
      const ConstMatrix a = activation(l, group);
      const KeptUnits& kept = kept_.units(l, group);
      const std::size_t at = group.first * model_.width(l);
      scatter(kept, rows, a.data, a.ld, layer.recorded.a.get() + at);
      if (l > 0) scatter(kept, rows, layer.z.get() + at, a.ld, layer.recorded.z.get() + at);
    }
  }
}

void TrainingPass::record_backward(const TeamMember& member) const {
  if (!model_.drops_neurons() || !model_.config().record) return;
  for (const Group& group : kept_.groups()) {
    const Range rows = share_of(member, group.rows, 1, 1);
    for (std::size_t l = 1; l < model_.last(); ++l) {
      const Layer& layer = layers_[l];
      const KeptUnits& kept = kept_.units(l, group);
      const std::size_t at = group.first * model_.width(l);
      scatter(kept, rows, layer.da.get() + at, kept.count, layer.recorded.da.get() + at);
      scatter(kept, rows, layer.dz.get() + at, kept.count, layer.recorded.dz.get() + at);
    }
  }
}

ConstMatrix TrainingPass::z(std::size_t l) const {
  const bool spread = model_.drops_neurons() && l < model_.last();
  const Layer& layer = layers_[l];
  return {spread ? layer.recorded.z.get() : layer.z.get(), forward_rows_, model_.width(l)};
}

ConstMatrix TrainingPass::a(std::size_t l) const {
  const bool spread = model_.drops_neurons() && l < model_.last();
  if (l == 0 && !spread) return input_;
  const Layer& layer = layers_[l];
  return {spread ? layer.recorded.a.get() : layer.a.get(), forward_rows_, model_.width(l)};
}

std::span<const std::uint8_t> TrainingPass::mask(std::size_t l) const {
  return {layers_[l].mask.memory(), mask_bytes(mask_bits(l))};
}

ConstMatrix TrainingPass::da(std::size_t l) const {
  const Layer& layer = layers_[l];
  return {model_.drops_neurons() ? layer.recorded.da.get() : layer.da.get(), backward_rows_,
          model_.width(l)};
}

ConstMatrix TrainingPass::dz(std::size_t l) const {
  const bool spread = model_.drops_neurons() && l < model_.last();
  const Layer& layer = layers_[l];
  return {spread ? layer.recorded.dz.get() : layer.dz.get(), backward_rows_, model_.width(l)};
}

ConstMatrix TrainingPass::dw(std::size_t l) const {
  return {layers_[l].dw.get(), model_.width(l), model_.width(l - 1)};
}

std::span<const float> TrainingPass::db(std::size_t l) const {
  return {layers_[l].db.get(), model_.width(l)};
}

}  // namespace simdrop::detail
