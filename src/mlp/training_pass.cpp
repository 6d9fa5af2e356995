#include "mlp/training_pass.h"

#include "mlp/stream_id.h"
#include "simdrop/mask.hpp"
#include "threading/parallel.h"

namespace simdrop::detail {

double TrainingPass::train_step(const Batch& batch, const Targets& targets, Optimizer& optimizer,
                                const Threads& threads) {
  optimizer.begin_step();
  const OptimizerAccess access(optimizer);
  begin(batch);
  const bool keep = model_.config().keep_gradients || model_.config().record;
  // A gradient that has been kept does not tell which weights a lazy update leaves alone.
  const bool updates_later = (keep && !model_.config().lazy_updates) || kept_.groups().size() > 1;
  parallel_team(model_.team_for(threads, batch.x.rows, 3.0), [&](const TeamMember& member) {
    forward_pass(member, batch);
    model_.finish_outputs(member, outputs(), &targets);
    member.barrier();
    record_forward(member);
    backward_pass(member, updates_later ? nullptr : &access, keep && !updates_later);
    record_backward(member);
  });
  backward_rows_ = forward_rows_;
  has_gradients_ = keep;
  if (updates_later) update(optimizer, threads);
  return mean_of_losses();
}

ConstMatrix TrainingPass::forward(const Batch& batch, const Threads& threads) {
  begin(batch);
  parallel_team(model_.team_for(threads, batch.x.rows, 1.0), [&](const TeamMember& member) {
    forward_pass(member, batch);
    model_.finish_outputs(member, outputs(), nullptr);
    record_forward(member);
  });
  return a(model_.last());
}

double TrainingPass::backward(const Targets& targets, const Threads& threads) {
  parallel_team(model_.team_for(threads, forward_rows_, 2.0), [&](const TeamMember& member) {
    model_.finish_outputs(member, outputs(), &targets);
    member.barrier();
    backward_pass(member, nullptr, false);
    record_backward(member);
  });
  backward_rows_ = forward_rows_;
  has_gradients_ = true;
  return mean_of_losses();
}

// All at once, so that no later call allocates. Pages that are never written cost nothing.
TrainingPass::TrainingPass(Model& model, const PassMemory& memory)
    : model_(model), memory_(memory), layers_(model.last() + 1), kept_(model) {
  for (std::size_t l = 0; l < layers_.size(); ++l) allocate(l);
  own_memory_.sort();
  losses_ = make_buffer<double>(model.config().max_batch);
}

void TrainingPass::allocate(std::size_t l) {
  Layer& layer = layers_[l];
  const std::size_t batch = model_.config().max_batch;
  const std::size_t width = model_.width(l);
  const bool record = model_.config().record;
  const bool output = l == model_.last();
  const std::size_t units = checked_product(batch, width);
  const bool has_gaps = l == 0 && model_.drops_neurons();
  layer.a = floats(has_gaps ? checked_product(batch, kept_ld(width)) : units);
  if (!output) {
    layer.mask.allocate(units);
    own_memory_.add(layer.mask.memory(), mask_bytes(units));
  }
  if (output || (l > 0 && record)) layer.z = floats(units);
  if (l > 0) {
    own_memory_.add(model_.weights(l).data, sizeof(float) * model_.weights(l).size());
    own_memory_.add(model_.bias(l).data(), model_.bias(l).size_bytes());
    layer.dw = floats(model_.weights(l).size());
    layer.db = floats(width);
    layer.dz = floats(units);
    if (!output && record) layer.da = floats(units);
  }
  if (!record || output || !model_.drops_neurons()) return;
  layer.recorded.a = floats(units);
  if (l == 0) return;
  for (auto* buffer : {&layer.recorded.z, &layer.recorded.da, &layer.recorded.dz}) {
    *buffer = floats(units);
  }
}

// What readers may get views of.
Buffer<float> TrainingPass::floats(std::size_t n) {
  Buffer<float> buffer = make_buffer<float>(n);
  own_memory_.add(buffer.get(), n * sizeof(float));
  return buffer;
}

std::size_t TrainingPass::injected_bits(std::size_t layer) const noexcept {
  const MlpConfig& config = model_.config();
  const std::size_t masks =
      model_.drops_neurons() ? KeptLayers::max_groups(config) : config.max_batch;
  return masks * model_.width(layer);
}

void TrainingPass::inject_mask(std::size_t layer, std::span<const std::uint8_t> bits) {
  layers_[layer].mask.inject(bits);
}

void TrainingPass::copy_injected(const TrainingPass& other) {
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    layers_[l].mask.copy_injected(other.layers_[l].mask);
  }
}

void TrainingPass::begin(const Batch& batch) {
  forward_rows_ = batch.x.rows;
  backward_rows_ = 0;
  has_gradients_ = false;
  kept_.begin(batch.x.rows, batch.first_row);
  for (std::size_t l = 0; l < model_.last(); ++l) {
    layers_[l].mask.begin(model_.keep_prob(l), mask_bits(l), model_.config().record);
    if (model_.drops_neurons()) choose_units(l, batch);
  }
  const bool drops_elements = !model_.drops_neurons() && layers_[0].mask.bits() != nullptr;
  input_ = drops_elements ? ConstMatrix(layers_[0].a.get(), batch.x.rows, batch.x.cols) : batch.x;
}

// Of the batch.
std::size_t TrainingPass::mask_bits(std::size_t layer) const noexcept {
  return (model_.drops_neurons() ? kept_.groups().size() : forward_rows_) * model_.width(layer);
}

// The masks of all groups, by the caller's thread: they say how large the products are. With
// keep_prob 0 nothing is kept, whatever an injected mask says.
void TrainingPass::choose_units(std::size_t l, const Batch& batch) {
  const LayerMask& mask = layers_[l].mask;
  if (mask.drawn()) {
    const std::size_t size = model_.config().dropout_group;
    const std::uint64_t first_group = size == 0 ? 0 : batch.first_row / size;
    const Stream stream = mask_stream(l, batch.step);
    model_.table().bernoulli_mask(mask.source(stream, first_group * model_.width(l)), mask_bits(l),
                                  mask.memory());
  }
  if (!mask.injected() && mask.keep_prob() == 1.0) return;
  kept_.keep(l, mask.keep_prob() == 0.0 ? nullptr : mask.bits());
}

Stream TrainingPass::mask_stream(std::size_t layer, std::uint64_t step) const noexcept {
  return {model_.config().seed, stream_id(StreamDomain::mask, layer, step)};
}

ConstMatrix TrainingPass::activation(std::size_t l, const Group& group) const {
  const std::size_t columns = kept_.units(l, group).count;
  const float* a = layers_[l].a.get();
  if (l > 0) return {a + group.first * model_.width(l), group.rows, columns};
  if (!kept_.drops(0)) return {input_.row(group.first), group.rows, input_.cols, input_.ld};
  return {a + group.first * kept_ld(model_.width(0)), group.rows, columns, kept_ld(columns)};
}

// Of the batch; Z has its bias already.
OutputRows TrainingPass::outputs() const noexcept {
  const Layer& layer = layers_.back();
  const std::size_t width = model_.width(model_.last());
  return {forward_rows_, width,         width,          nullptr,
          layer.z.get(), layer.a.get(), layer.dz.get(), losses_.get()};
}

// Losses are summed in row order, whatever the team.
double TrainingPass::mean_of_losses() const noexcept {
  double sum = 0.0;
  for (std::size_t r = 0; r < forward_rows_; ++r) sum += losses_[r];
  return sum / static_cast<double>(forward_rows_);
}

}  // namespace simdrop::detail
