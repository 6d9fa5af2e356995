// Backward propagation.
#include <algorithm>

#include "linear/blocking.h"
#include "mask/mask_source.h"
#include "mlp/training_pass.h"

namespace simdrop::detail {
namespace {

// The rows of dW, and elements of db, of some outputs; nobody drops any.
BackwardWeightsProduct<float> outputs_of(BackwardWeightsProduct<float> product, std::size_t first,
                                         std::size_t count) {
  product.dy = {product.dy.data + first, product.dy.rows, count, product.dy.ld};
  product.use.dw.data += first * product.use.dw.ld;
  product.use.db.data += first;
  return product;
}

}  // namespace

// With several groups there are no updates: their gradients are added up first, group by group.
// keep: gradients go to dw and db as well.
void TrainingPass::backward_pass(const TeamMember& member, Updates updates, bool keep) const {
  if (kept_.groups().size() > 1 && kept_.drops_none()) {
    backward_whole(member);
    return;
  }
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
    const BackwardWeightsProduct<float> of_weights = weights_product(l, group, updates);
    const std::size_t offset =
        backward_weights_offset<float>({group.rows, model_.width(l - 1), model_.width(l)});
    pack(table, member, of_weights, memory_.of_layer(l, offset));
    if (l > 1) {
      const BackwardInputProduct<float> of_input = input_product(l, group);
      pack(table, member, of_input, memory_.of_layer(l));
      member.barrier();
      multiply(table, member, of_input, memory_.of_layer(l));
      member.barrier();
      if (model_.config().record) record_da(member, l - 1, group);
    } else {
      member.barrier();
    }
    multiply(table, member, of_weights, memory_.of_layer(l, offset));
    if (keep)
      multiply(table, member, weights_product(l, group, nullptr), memory_.of_layer(l, offset));
  }
}

// The same numbers where groups drop nothing: gradients of inputs are those of the whole batch, for
// a row does not depend on others, and those of weights are added up group by group as ever, but
// of so many outputs at a time as stay in L2.
void TrainingPass::backward_whole(const TeamMember& member) const {
  const KernelTable& table = model_.table();
  for (std::size_t l = model_.last(); l >= 1; --l) {
    if (l > 1) {
      const BackwardInputProduct<float> of_input = input_product(l, kept_.whole());
      pack(table, member, of_input, memory_.of_layer(l));
      member.barrier();
      multiply(table, member, of_input, memory_.of_layer(l));
      member.barrier();
      if (model_.config().record) record_da(member, l - 1, kept_.whole());
    }
    const std::size_t width = model_.width(l);
    const std::size_t block = columns_in_l2(width, model_.width(l - 1), sizeof(float), 1);
    for (std::size_t out = 0; out < width; out += block) {
      for (const Group& group : kept_.groups()) {
        const BackwardWeightsProduct<float> of_weights =
            outputs_of(weights_product(l, group, nullptr), out, std::min(block, width - out));
        pack(table, member, of_weights, memory_.of_layer(l));
        member.barrier();
        multiply(table, member, of_weights, memory_.of_layer(l));
        member.barrier();
      }
    }
  }
}

// dZ of layer l - 1 from dZ of layer l: dZ W, then back through dropout and ReLU; in record mode
// the two are apart, as dA is wanted between them.
BackwardInputProduct<float> TrainingPass::input_product(std::size_t l, const Group& group) const {
  const Layer& hidden = layers_[l - 1];
  const std::size_t offset = group.first * model_.width(l - 1);
  const std::size_t ins = kept_.units(l - 1, group).count;
  const std::size_t outs = kept_.units(l, group).count;
  const KeptOfProduct<float> kept = kept_.of_product(l, group);
  BackwardInputProduct<float> product;
  product.dy = {layers_[l].dz.get() + group.first * model_.width(l), group.rows, outs};
  product.weights = kept.drops_units ? ConstMatrix(kept.weights.data, outs, ins, kept.weights.ld)
                                     : ConstMatrix(model_.weights(l));
  if (!model_.config().record) product.epilogue.stored = {hidden.a.get() + offset, ins};
  product.epilogue.scale = dropout_scale(hidden.mask.keep_prob());
  product.dx = {hidden.dz.get() + offset, group.rows, ins};
  return product;
}

// dW = dZ^T A_prev / m, db = column sums of dZ / m; without an optimiser, groups add to them.
BackwardWeightsProduct<float> TrainingPass::weights_product(std::size_t l, const Group& group,
                                                            Updates updates) const {
  const Layer& layer = layers_[l];
  const Matrix w = model_.weights(l);
  BackwardWeightsProduct<float> product;
  product.dy = {layer.dz.get() + group.first * w.rows, group.rows, kept_.units(l, group).count};
  product.x = activation(l - 1, group);
  product.kept = kept_.of_product(l, group);
  GradientUse<float>& use = product.use;
  use.alpha = static_cast<float>(1.0 / static_cast<double>(forward_rows_));
  if (updates == nullptr) {
    use.update = group.index == 0 ? Update::store : Update::add;
    use.dw = {layer.dw.get(), nullptr, nullptr, w.cols};
    use.db = {layer.db.get(), nullptr, nullptr, 0};
  } else {
    use.update = updates->update;
    use.dw = updates->target(2 * l - 2, w.data, w.ld);
    use.db = updates->target(2 * l - 1, model_.bias(l).data(), 0);
    use.step = updates->step;
    use.step.lazy = model_.config().lazy_updates;
  }
  return product;
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
