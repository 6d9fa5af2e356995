// Backward propagation.
#include "mask/mask_source.h"
#include "mlp/training_pass.h"

namespace simdrop::detail {

// With several groups there are no updates: their gradients are added up first, group by group.
// keep: gradients go to dw and db as well.
void TrainingPass::backward_pass(const TeamMember& member, Updates updates, bool keep) const {
  for (const Group& group : kept_.groups()) {
    if (group.index != 0) member.barrier();
    backward_group(member, group, updates, keep);
  }
}

// Weights are updated behind the barrier after which nobody reads them any more. Layers take turns
// with the panels: those of l may still be read when l - 1 packs its own.
void TrainingPass::backward_group(const TeamMember& member, const Group& group, Updates updates,
                                  bool keep) const {
  const KernelTable& table = model_.table();
  for (std::size_t l = model_.last(); l >= 1; --l) {
    const BackwardWeightsCall<float> of_weights = weights_call(l, group, updates);
    const std::size_t offset =
        backward_weights_offset<float>({group.rows, model_.width(l - 1), model_.width(l)});
    pack(table, member, of_weights, memory_.of_layer(l, offset));
    if (l > 1) {
      const BackwardInputCall<float> of_input = input_call(l, group);
      pack(table, member, of_input, memory_.of_layer(l));
      member.barrier();
      multiply(table, member, of_input, memory_.of_layer(l));
      member.barrier();
      if (model_.config().record) record_da(member, l - 1, group);
    } else {
      member.barrier();
    }
    multiply(table, member, of_weights, memory_.of_layer(l, offset));
    if (keep) multiply(table, member, weights_call(l, group, nullptr), memory_.of_layer(l, offset));
  }
}

// dZ of layer l - 1 from dZ of layer l: dZ W, then back through dropout and ReLU; in record mode
// the two are apart, as dA is wanted between them.
BackwardInputCall<float> TrainingPass::input_call(std::size_t l, const Group& group) const {
  const Layer& hidden = layers_[l - 1];
  const std::size_t width = model_.width(l - 1);
  const std::size_t offset = group.first * width;
  const std::size_t ins = kept_.units(l - 1, group).count;
  const std::size_t outs = kept_.units(l, group).count;
  BackwardInputCall<float> call{{}, layers_[l].dz.get() + group.first * model_.width(l), outs};
  BackwardInputProduct<float>& p = call.product;
  p.batch = group.rows;
  p.ins = ins;
  p.k = outs;
  const bool compressed = drops_units(l);
  p.w = compressed ? kept_.weights(l, group) : model_.weights(l).data;
  p.ld_w = compressed ? kept_ld(ins) : width;
  if (!model_.config().record) p.stored = hidden.a.get() + offset;
  p.ld_stored = ins;
  p.scale = dropout_scale(hidden.mask.keep_prob());
  p.dx = hidden.dz.get() + offset;
  p.ld_dx = ins;
  return call;
}

// dW = dZ^T A_prev / m, db = column sums of dZ / m; without an optimiser, groups add to them.
BackwardWeightsCall<float> TrainingPass::weights_call(std::size_t l, const Group& group,
                                                      Updates updates) const {
  const Layer& layer = layers_[l];
  const ConstMatrix previous = activation(l - 1, group);
  const Matrix w = model_.weights(l);
  BackwardWeightsCall<float> call{{}, previous.data, previous.ld};
  BackwardWeightsProduct<float>& p = call.product;
  p.batch = group.rows;
  p.outs = kept_.units(l, group).count;
  p.ins = previous.cols;
  p.dy = layer.dz.get() + group.first * w.rows;
  p.ld_dy = p.outs;
  p.alpha = static_cast<float>(1.0 / static_cast<double>(forward_rows_));
  p.drops_units = drops_units(l);
  p.out_units = kept_.units(l, group);
  p.in_units = kept_.units(l - 1, group);
  if (updates == nullptr) {
    const Update update = group.index == 0 ? Update::store : Update::add;
    p.weights = {update, layer.dw.get(), nullptr, nullptr, w.cols};
    p.bias = {update, layer.db.get(), nullptr, nullptr, 0};
    p.lazy = update == Update::add;
  } else {
    p.weights = updates->use(2 * l - 2, w.data, w.ld);
    p.bias = updates->use(2 * l - 1, model_.bias(l).data(), 0);
    p.sgd = updates->sgd;
    p.adam = updates->adam;
    p.max_norm = updates->optimizer.config().max_norm;
    p.lazy = model_.config().lazy_updates;
  }
  return call;
}

// From gradients in dw and db.
void TrainingPass::update(Optimizer& optimizer, const Threads& threads) {
  for (std::size_t l = 1; l <= model_.last(); ++l) {
    const Matrix w = model_.weights(l);
    optimizer.update(2 * l - 2, {w.data, w.size()}, {layers_[l].dw.get(), w.size()}, threads,
                     w.cols);
    optimizer.update(2 * l - 1, model_.bias(l), {layers_[l].db.get(), w.rows}, threads);
  }
}

}  // namespace simdrop::detail
