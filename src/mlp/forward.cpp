// Forward propagation in training.
#include <algorithm>

#include "mask/mask_source.h"
#include "mlp/training_pass.h"
#include "simdrop/mask.hpp"
#include "threading/parallel.h"

namespace simdrop::detail {

// Ends with a barrier; the outputs are those before the activation then, in z.
void TrainingPass::forward_pass(const TeamMember& member, const Batch& batch) const {
  if (model_.drops_neurons()) {
    gather_input(member, batch.x);
  } else {
    drop_input(member, batch);
  }
  if (kept_.drops_none()) {
    forward_group(member, batch, kept_.whole());
    return;
  }
  for (const Group& group : kept_.groups()) forward_group(member, batch, group);
}

// Ends with a barrier.
void TrainingPass::drop_input(const TeamMember& member, const Batch& batch) const {
  const ConstMatrix x = batch.x;
  const LayerMask& mask = layers_[0].mask;
  if (mask.bits() == nullptr) return;
  const Range rows = share_of(member, x.rows, 8, elements_per_thread / x.cols);
  if (!rows.empty()) {
    const std::size_t offset = rows.begin * x.cols;
    const bool drawn_to_read = model_.config().record && mask.drawn();
    std::uint8_t* bits = drawn_to_read ? mask.memory() + offset / 8 : nullptr;
    const MaskSource source = mask.source(mask_stream(0, batch.step), batch.first_row * x.cols);
    model_.table().f32.dropout(advance(source, offset), dropout_scale(mask.keep_prob()),
                               {rows.end - rows.begin, x.cols, x.ld, x.cols}, x.row(rows.begin),
                               layers_[0].a.get() + offset, bits);
  }
  member.barrier();
}

// Ends with a barrier.
void TrainingPass::gather_input(const TeamMember& member, ConstMatrix x) const {
  if (!kept_.drops(0)) return;
  const float scale = dropout_scale(layers_[0].mask.keep_prob());
  for (const Group& group : kept_.groups()) {
    const Range rows = share_of(member, group.rows, 1, elements_per_thread / x.cols);
    if (rows.empty()) continue;
    const KeptUnits& kept = kept_.units(0, group);
    const std::size_t ld = kept_ld(kept.count);
    float* to = layers_[0].a.get() + group.first * kept_ld(x.cols) + rows.begin * ld;
    model_.table().compress_rows_f32(rows.end - rows.begin, kept, scale,
                                     x.row(group.first + rows.begin), x.ld, to, ld);
  }
  member.barrier();
}

// Ends with a barrier.
void TrainingPass::forward_group(const TeamMember& member, const Batch& batch,
                                 const Group& group) const {
  for (std::size_t l = 1; l <= model_.last(); ++l) {
    const ForwardProduct<float> product = forward_product(l, group);
    pack(model_.table(), member, product, memory_.of_layer(l));
    draw_mask(member, l, batch);
    member.barrier();
    multiply(model_.table(), member, product, memory_.of_layer(l));
    member.barrier();
    clear_dropped(member, l);
  }
}

// From what layer l - 1 keeps to what l does. y: A, or Z of the last layer.
ForwardProduct<float> TrainingPass::forward_product(std::size_t l, const Group& group) const {
  const Layer& layer = layers_[l];
  const bool hidden = l < model_.last();
  const std::size_t width = model_.width(l);
  const std::size_t kept = kept_.units(l, group).count;
  const std::size_t offset = group.first * width;
  float* y = (hidden ? layer.a.get() : layer.z.get()) + offset;
  ForwardProduct<float> product =
      model_.product(l, activation(l - 1, group), {y, group.rows, kept});
  if (hidden) {
    product.epilogue.scale = dropout_scale(layer.mask.keep_prob());
    product.epilogue.bits = model_.drops_neurons() ? nullptr : layer.mask.bits();
    product.epilogue.bits_per_row = width;
    if (model_.config().record) product.epilogue.z = {layer.z.get() + offset, kept};
  }
  product.kept = kept_.of_product(l, group);
  if (kept_.drops(l)) product.epilogue.bias = kept_.bias(l, group);
  return product;
}

// A member's share of the mask of a hidden layer, if elements are dropped by drawn bits.
void TrainingPass::draw_mask(const TeamMember& member, std::size_t l, const Batch& batch) const {
  const LayerMask& mask = layers_[l].mask;
  if (!mask.drawn() || model_.drops_neurons()) return;
  const std::size_t width = model_.width(l);
  const Range mine = share_of(member, forward_rows_ * width, mask_grain, elements_per_thread);
  if (mine.empty()) return;
  const MaskSource source = mask.source(mask_stream(l, batch.step), batch.first_row * width);
  model_.table().bernoulli_mask(advance(source, mine.begin), mine.end - mine.begin,
                                mask.memory() + mine.begin / 8);
}

// With keep_prob 0 nothing is kept, whatever an injected mask says. Ends with a barrier.
void TrainingPass::clear_dropped(const TeamMember& member, std::size_t l) const {
  const Layer& layer = layers_[l];
  if (layer.mask.keep_prob() != 0.0 || model_.drops_neurons()) return;
  const std::size_t elements = forward_rows_ * model_.width(l);
  const Range mine = share_of(member, elements, mask_grain, elements_per_thread);
  std::fill(layer.a.get() + mine.begin, layer.a.get() + mine.end, 0.0F);
  member.barrier();
}

}  // namespace simdrop::detail
