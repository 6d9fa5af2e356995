// Forward propagation.
#include <algorithm>

#include "mask/mask_source.h"
#include "mlp/loss.h"
#include "mlp/mask_bits.h"
#include "mlp/network.h"
#include "mlp/shares.h"
#include "mlp/stream_id.h"
#include "simdrop/mask.hpp"

namespace simdrop::detail {

ConstMatrix Network::activation(std::size_t layer) const {
  if (layer == 0) return input;
  return {layers[layer].a.get(), forward_rows, layers[layer].width};
}

ConstMatrix Network::activation(std::size_t l, const Group& group) const {
  const Layer& layer = layers[l];
  const std::size_t columns = layer.columns(group);
  if (l > 0) return {layer.a.get() + group.first * layer.width, group.rows, columns};
  if (layer.kept.units[group.index].index == nullptr) {
    return {input.row(group.first), group.rows, input.cols, input.ld};
  }
  return {layer.a.get() + group.first * kept_ld(layer.width), group.rows, columns,
          kept_ld(columns)};
}

MaskSource Network::mask_source(std::size_t layer, std::uint64_t step,
                                std::uint64_t first_row) const {
  const Layer& source = layers[layer];
  return make_mask_source({.keep_prob = source.forward_keep_prob,
                           .stream = {config.seed, stream_id(StreamDomain::mask, layer, step)},
                           .first = first_row * source.width},
                          source.injected.empty() ? nullptr : source.injected.data());
}

// Where the bits of this forward() will lie: an injected mask stays where it is, but in record
// mode, where it is copied for readers.
void Network::choose_mask(std::size_t l) {
  Layer& layer = layers[l];
  layer.forward_keep_prob = keep_prob(l);
  layer.forward_mask = nullptr;
  if (!layer.injected.empty()) {
    layer.forward_mask = layer.injected.data();
    if (!config.record) return;
    extract_bits(layer.injected.data(), 0, mask_size(l), layer.mask.get());
  } else if (layer.forward_keep_prob < 1.0 || config.record) {
    layer.forward_mask = layer.mask.get();
  }
}

void Network::begin_forward(ConstMatrix x, std::uint64_t step, std::uint64_t first_row) {
  forward_rows = x.rows;
  backward_rows = 0;
  has_gradients = false;
  choose_groups(first_row);
  for (std::size_t l = 0; l < last(); ++l) {
    if (neuron()) {
      choose_units(l, step, first_row);
    } else {
      choose_mask(l);
    }
  }
  const Layer& first = layers[0];
  input = first.forward_mask == nullptr ? x : ConstMatrix(first.a.get(), x.rows, x.cols);
}

void Network::draw_mask(const TeamMember& member, std::size_t l, std::uint64_t step,
                        std::uint64_t first_row) const {
  const Layer& layer = layers[l];
  if (layer.forward_mask == nullptr || layer.forward_mask != layer.mask.get()) return;
  const Range mine = share_of(member, forward_rows * layer.width, mask_grain, elements_per_thread);
  if (mine.empty()) return;
  table_.bernoulli_mask(advance(mask_source(l, step, first_row), mine.begin), mine.end - mine.begin,
                        layer.mask.get() + mine.begin / 8);
}

// Ends with a barrier.
void Network::forward_input(const TeamMember& member, ConstMatrix x, std::uint64_t step,
                            std::uint64_t first_row) const {
  const Layer& layer = layers[0];
  if (layer.forward_mask == nullptr) return;
  const Range rows = share_of(member, x.rows, 8, elements_per_thread / x.cols);
  if (!rows.empty()) {
    const std::size_t offset = rows.begin * x.cols;
    const bool drawn_to_read = config.record && layer.injected.empty();
    std::uint8_t* bits = drawn_to_read ? layer.mask.get() + offset / 8 : nullptr;
    table_.f32.dropout(advance(mask_source(0, step, first_row), offset),
                       dropout_scale(layer.forward_keep_prob),
                       {rows.end - rows.begin, x.cols, x.ld, x.cols}, x.row(rows.begin),
                       layer.a.get() + offset, bits);
  }
  member.barrier();
}

// What layer l computes from x without dropout: y is a, or z of the last layer.
ForwardProduct<float> Network::inference_call(std::size_t l, ConstMatrix x, Matrix y) const {
  ForwardProduct<float> p{.x = x, .weights = weights(l), .y = y};
  p.epilogue.bias = layers[l].bias.get();
  p.epilogue.relu = l < last();
  p.epilogue.scale = 1.0F;
  return p;
}

// The same in training, where hidden layers drop, from what layer l - 1 keeps to what l does.
ForwardProduct<float> Network::forward_call(std::size_t l, const Group& group) const {
  const Layer& layer = layers[l];
  const KeptUnits& kept = layer.kept.units[group.index];
  const bool hidden = l < last();
  const std::size_t offset = group.first * layer.width;
  float* y = (hidden ? layer.a.get() : layer.z.get()) + offset;
  ForwardProduct<float> p =
      inference_call(l, activation(l - 1, group), {y, group.rows, kept.count});
  if (hidden) {
    p.epilogue.scale = dropout_scale(layer.forward_keep_prob);
    p.epilogue.bits = layer.forward_mask;
    p.epilogue.bits_per_row = layer.width;
    if (config.record) p.epilogue.z = {layer.z.get() + offset, kept.count};
  }
  p.kept = kept_of(l, group);
  if (kept.index != nullptr) {
    p.epilogue.bias = layer.kept.bias.get() + group.index * layer.width;
  }
  return p;
}

// With keep_prob 0 nothing is kept, whatever an injected mask says.
void Network::clear_dropped(const TeamMember& member, const Layer& layer) const {
  if (layer.forward_keep_prob != 0.0 || neuron()) return;
  const Range mine = share_of(member, forward_rows * layer.width, mask_grain, elements_per_thread);
  std::fill(layer.a.get() + mine.begin, layer.a.get() + mine.end, 0.0F);
  member.barrier();
}

// Ends with a barrier.
void Network::forward_group(const TeamMember& member, const Group& group, std::uint64_t step,
                            std::uint64_t first_row) const {
  for (std::size_t l = 1; l <= last(); ++l) {
    const ForwardProduct<float> call = forward_call(l, group);
    pack(table_, member, call, memory.of_layer(l));
    if (l < last()) draw_mask(member, l, step, first_row);
    member.barrier();
    multiply(table_, member, call, memory.of_layer(l));
    member.barrier();
    if (l < last()) clear_dropped(member, layers[l]);
  }
}

// Ends with a barrier; the outputs are those before the activation then, in z.
void Network::forward_pass(const TeamMember& member, ConstMatrix x, std::uint64_t step,
                           std::uint64_t first_row) const {
  forward_input(member, x, step, first_row);
  gather_input(member, x);
  for (const Group& group : groups_) forward_group(member, group, step, first_row);
}

OutputRows Network::outputs_of_batch() const noexcept {
  const Layer& output = layers[last()];
  return {forward_rows,   output.width,   output.width,    nullptr,
          output.z.get(), output.a.get(), output.dz.get(), losses_.get()};
}

void Network::finish_outputs(const TeamMember& member, const OutputRows& outputs,
                             const Targets* targets) const {
  const Range rows = share_of(member, outputs.rows, 1, outputs_per_thread / outputs.cols);
  if (rows.empty()) return;
  output_rows(table_, config.loss, outputs, targets, rows.begin, rows.end);
}

ConstMatrix Network::forward(ConstMatrix x, std::uint64_t step, std::uint64_t first_row,
                             const Threads& threads) {
  begin_forward(x, step, first_row);
  parallel_team(team_for(threads, x.rows, 1.0), [&](const TeamMember& member) {
    forward_pass(member, x, step, first_row);
    finish_outputs(member, outputs_of_batch(), nullptr);
    record_forward(member);
  });
  return activation(last());
}

}  // namespace simdrop::detail
