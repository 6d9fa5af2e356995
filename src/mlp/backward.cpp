// Backward propagation and the training step.
#include <algorithm>

#include "mask/mask_source.h"
#include "mlp/loss.h"
#include "mlp/network.h"
#include "mlp/shares.h"

namespace simdrop::detail {

// Losses are summed in row order, whatever the team.
double Network::mean_of_losses() const noexcept {
  double sum = 0.0;
  for (std::size_t r = 0; r < forward_rows; ++r) sum += losses_[r];
  return sum / static_cast<double>(forward_rows);
}

// dZ of layer l - 1 from dZ of layer l: dZ W, then back through dropout and ReLU; in record mode
// the two are apart, as dA is wanted between them.
BackwardInputProduct<float> Network::input_call(std::size_t l, const Group& group) const {
  const Layer& hidden = layers[l - 1];
  const Layer& layer = layers[l];
  const std::size_t offset = group.first * hidden.width;
  const std::size_t ins = hidden.columns(group);
  const std::size_t outs = layer.columns(group);
  const KeptOfProduct<float> kept = kept_of(l, group);
  BackwardInputProduct<float> p;
  p.dy = {layer.dz.get() + group.first * layer.width, group.rows, outs};
  p.weights = kept.drops_units ? ConstMatrix(kept.weights.data, outs, ins, kept.weights.ld)
                               : ConstMatrix(weights(l));
  if (!config.record) p.epilogue.stored = {hidden.a.get() + offset, ins};
  p.epilogue.scale = dropout_scale(hidden.forward_keep_prob);
  p.dx = {hidden.dz.get() + offset, group.rows, ins};
  return p;
}

// dW = dZ^T A_prev / m, db = column sums of dZ / m; without an optimiser, groups add to them.
BackwardWeightsProduct<float> Network::weights_call(std::size_t l, const Group& group,
                                                    Updates updates) const {
  const Layer& layer = layers[l];
  const Matrix w = weights(l);
  BackwardWeightsProduct<float> p;
  p.dy = {layer.dz.get() + group.first * layer.width, group.rows, layer.columns(group)};
  p.x = activation(l - 1, group);
  p.kept = kept_of(l, group);
  p.use.alpha = static_cast<float>(1.0 / static_cast<double>(forward_rows));
  if (updates == nullptr) {
    p.use.update = group.index == 0 ? Update::store : Update::add;
    p.use.dw = {layer.dw.get(), nullptr, nullptr, w.cols};
    p.use.db = {layer.db.get(), nullptr, nullptr, 0};
  } else {
    p.use.update = updates->update;
    p.use.dw = updates->target(2 * l - 2, w.data, w.ld);
    p.use.db = updates->target(2 * l - 1, layer.bias.get(), 0);
    p.use.step = updates->step;
    p.use.step.lazy = config.lazy_updates;
  }
  return p;
}

// dA after mask and scale, and dZ, from dA before them (which lies in dz). Ends with a barrier.
void Network::record_da(const TeamMember& member, const Layer& hidden, const Group& group) const {
  const std::size_t n = hidden.columns(group);
  const Range rows =
      share_of(member, group.rows, 8, elements_per_thread / std::max<std::size_t>(n, 1));
  if (!rows.empty() && n > 0) {
    const MaskSource all_kept = make_mask_source({});
    const MaskSource source =
        neuron() ? all_kept
                 : make_mask_source({.keep_prob = hidden.forward_keep_prob}, hidden.mask.get());
    const float scale = dropout_scale(hidden.forward_keep_prob);
    const std::size_t offset = group.first * hidden.width + rows.begin * n;
    const Shape2D shape{rows.end - rows.begin, n, n, n};
    float* dz = hidden.dz.get() + offset;
    table_.f32.dropout(advance(source, rows.begin * n), scale, shape, dz, hidden.da.get() + offset,
                       nullptr);
    table_.f32.relu_dropout_backward(scale, shape, hidden.a.get() + offset, dz, n, dz);
  }
  member.barrier();
}

// Weights are updated behind the barrier after which nobody reads them any more. Layers take turns
// with the panels: those of l may still be read when l - 1 packs its own.
void Network::backward_group(const TeamMember& member, const Group& group, Updates updates,
                             bool keep) const {
  for (std::size_t l = last(); l >= 1; --l) {
    const BackwardWeightsProduct<float> of_weights = weights_call(l, group, updates);
    const std::size_t offset =
        backward_weights_offset<float>({group.rows, layers[l - 1].width, layers[l].width});
    pack(table_, member, of_weights, memory.of_layer(l, offset));
    if (l > 1) {
      const BackwardInputProduct<float> of_input = input_call(l, group);
      pack(table_, member, of_input, memory.of_layer(l));
      member.barrier();
      multiply(table_, member, of_input, memory.of_layer(l));
      member.barrier();
      if (config.record) record_da(member, layers[l - 1], group);
    } else {
      member.barrier();
    }
    multiply(table_, member, of_weights, memory.of_layer(l, offset));
    if (keep) multiply(table_, member, weights_call(l, group, nullptr), memory.of_layer(l, offset));
  }
}

// With several groups there are no updates: their gradients are added up first, group by group.
void Network::backward_pass(const TeamMember& member, Updates updates, bool keep) const {
  for (const Group& group : groups_) {
    if (group.index != 0) member.barrier();
    backward_group(member, group, updates, keep);
  }
}

double Network::backward(const Targets& targets, const Threads& threads) {
  parallel_team(team_for(threads, forward_rows, 2.0), [&](const TeamMember& member) {
    finish_outputs(member, outputs_of_batch(), &targets);
    member.barrier();
    backward_pass(member, nullptr, false);
    record_backward(member);
  });
  backward_rows = forward_rows;
  has_gradients = true;
  return mean_of_losses();
}

double Network::train_step(ConstMatrix x, const Targets& targets, Optimizer& optimizer,
                           std::uint64_t first_row, const Threads& threads) {
  const std::uint64_t step = optimizer.step_count();
  optimizer.begin_step();
  const OptimizerAccess access(optimizer);
  const bool keep = config.keep_gradients || config.record;
  begin_forward(x, step, first_row);
  // A gradient that has been kept does not tell which weights a lazy update leaves alone.
  const bool updates_later = (keep && !config.lazy_updates) || groups_.size() > 1;
  parallel_team(team_for(threads, x.rows, 3.0), [&](const TeamMember& member) {
    forward_pass(member, x, step, first_row);
    finish_outputs(member, outputs_of_batch(), &targets);
    member.barrier();
    record_forward(member);
    backward_pass(member, updates_later ? nullptr : &access, keep && !updates_later);
    record_backward(member);
  });
  backward_rows = forward_rows;
  has_gradients = keep;
  for (std::size_t l = 1; updates_later && l <= last(); ++l) {
    const Matrix w = weights(l);
    optimizer.update(2 * l - 2, {w.data, w.size()}, {layers[l].dw.get(), w.size()}, threads,
                     w.cols);
    optimizer.update(2 * l - 1, bias(l), {layers[l].db.get(), layers[l].width}, threads);
  }
  return mean_of_losses();
}

}  // namespace simdrop::detail
