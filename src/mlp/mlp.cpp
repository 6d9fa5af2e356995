#include "simdrop/mlp.hpp"

#include "base/check.h"
#include "base/float_environment.h"
#include "base/matrix_check.h"
#include "mask/mask_check.h"
#include "mlp/call_check.h"
#include "mlp/config.h"
#include "mlp/loss.h"
#include "mlp/mlp_state.h"
#include "mlp/stream_id.h"
#include "simdrop/mask.hpp"
#include "threading/parallel.h"

namespace simdrop {

using detail::Batch;
using detail::check_layer;
using detail::Samples;

Mlp::Mlp(const MlpConfig& config)
    : state_([&] {
        const detail::DefaultFloats floats;
        return std::make_unique<State>(detail::checked_config(config));
      }()) {}
Mlp::Mlp(const MlpConfig& config, const Mlp& other)
    : state_(std::make_unique<State>(config, *other.state_)) {}
Mlp::~Mlp() = default;
Mlp::Mlp(Mlp&&) noexcept = default;
Mlp& Mlp::operator=(Mlp&&) noexcept = default;

Mlp Mlp::clone(std::optional<Threads> threads) const {
  const detail::DefaultFloats floats;
  MlpConfig same = config();
  if (threads.has_value()) {
    detail::check_threads(*threads);
    same.num_threads = threads->count;
    same.executor = threads->executor;
  }
  return {same, *this};
}

const MlpConfig& Mlp::config() const noexcept {
  return state_->model.config();
}

std::size_t Mlp::num_layers() const noexcept {
  return state_->model.last();
}

std::size_t Mlp::num_parameters() const noexcept {
  const detail::Model& model = state_->model;
  std::size_t sum = 0;
  for (std::size_t l = 1; l <= model.last(); ++l) {
    sum += model.weights(l).size() + model.bias(l).size();
  }
  return sum;
}

std::vector<std::size_t> Mlp::parameter_sizes() const {
  const detail::Model& model = state_->model;
  std::vector<std::size_t> sizes;
  for (std::size_t l = 1; l <= model.last(); ++l) {
    sizes.push_back(model.weights(l).size());
    sizes.push_back(model.bias(l).size());
  }
  return sizes;
}

Matrix Mlp::weights(std::size_t layer) {
  check_layer(layer, 1, num_layers());
  return state_->model.weights(layer);
}

ConstMatrix Mlp::weights(std::size_t layer) const {
  check_layer(layer, 1, num_layers());
  return state_->model.weights(layer);
}

std::span<float> Mlp::bias(std::size_t layer) {
  check_layer(layer, 1, num_layers());
  return state_->model.bias(layer);
}

std::span<const float> Mlp::bias(std::size_t layer) const {
  check_layer(layer, 1, num_layers());
  return state_->model.bias(layer);
}

std::uint64_t Mlp::mask_stream_id(std::size_t layer, std::uint64_t step) {
  check_layer(layer, 0, detail::max_layers - 1);
  detail::check_step(step, "step");
  return detail::stream_id(detail::StreamDomain::mask, layer, step);
}

std::uint64_t Mlp::sample_stream_id(std::size_t layer, std::uint64_t sample) {
  check_layer(layer, 0, detail::max_layers - 1);
  detail::check_step(sample, "sample");
  return detail::stream_id(detail::StreamDomain::sample, layer, sample);
}

void Mlp::set_keep_prob(std::size_t layer, double keep_prob) {
  const detail::DefaultFloats floats(keep_prob);
  check_layer(layer, 0, num_layers() - 1);
  detail::check_keep_prob(keep_prob);
  state_->model.set_keep_prob(layer, keep_prob);
}

void Mlp::inject_mask(std::size_t layer, std::span<const std::uint8_t> bits) {
  check_layer(layer, 0, num_layers() - 1);
  const std::size_t bytes = mask_bytes(state_->training.injected_bits(layer));
  detail::check_optional_array(bits, "bits", bytes, "mask_bytes() of max_batch rows");
  state_->training.inject_mask(layer, bits);
}

ConstMatrix Mlp::forward(ConstMatrix x, std::uint64_t step, std::uint64_t first_row,
                         std::optional<Threads> threads) {
  const detail::DefaultFloats floats;
  const Batch batch{x, step, first_row};
  detail::check_batch(config(), state_->training.own_memory(), batch);
  return state_->training.forward(batch, state_->reserve(threads));
}

double Mlp::backward(const Targets& targets, std::optional<Threads> threads) {
  const detail::DefaultFloats floats;
  detail::check_forward(state_->training);
  detail::check_targets(config(), state_->training.own_memory(), targets,
                        state_->training.forward_rows());
  return state_->training.backward(targets, state_->reserve(threads));
}

double Mlp::train_step(ConstMatrix x, const Targets& targets, Optimizer& optimizer,
                       std::uint64_t first_row, std::optional<Threads> threads) {
  const detail::DefaultFloats floats;
  const Batch batch{x, optimizer.step_count(), first_row};
  const detail::OwnMemory& own = state_->training.own_memory();
  detail::check_batch(config(), own, batch);
  detail::check_targets(config(), own, targets, x.rows);
  detail::check_optimizer(state_->model, optimizer);
  return state_->training.train_step(batch, targets, optimizer, state_->reserve(threads));
}

void Mlp::predict(ConstMatrix x, Matrix out, std::optional<Threads> threads) {
  const detail::DefaultFloats floats;
  detail::check_predict(config(), state_->training.own_memory(), x, out);
  state_->inference.predict(x, out, state_->reserve(threads));
}

void Mlp::predict_monte_carlo(ConstMatrix x, std::size_t samples, Matrix mean, Matrix variance,
                              std::uint64_t first_sample, std::uint64_t first_row,
                              std::optional<Threads> threads) {
  const detail::DefaultFloats floats;
  const Samples wanted{samples, first_sample, first_row};
  detail::check_monte_carlo(config(), state_->training.own_memory(), x, wanted, mean, variance);
  state_->inference.predict_monte_carlo(x, wanted, mean, variance, state_->reserve(threads));
}

double Mlp::loss_of(ConstMatrix predictions, const Targets& targets) const {
  const detail::DefaultFloats floats;
  const MlpConfig& c = config();
  detail::check_argument(predictions.rows >= 1, "predictions.rows", predictions.rows, ">= 1");
  detail::check_cols(predictions, "predictions", c.widths.back(), "number of outputs");
  detail::check_memory(predictions, "predictions");
  detail::check_targets(c.loss, targets, predictions.rows, c.widths.back());
  return detail::mean_loss(c.loss, predictions, targets);
}

ConstMatrix Mlp::z(std::size_t layer) const {
  check_layer(layer, 1, num_layers());
  detail::check_recorded(config());
  detail::check_forward(state_->training);
  return state_->training.z(layer);
}

ConstMatrix Mlp::a(std::size_t layer) const {
  check_layer(layer, 0, num_layers());
  detail::check_forward(state_->training);
  if (state_->model.drops_neurons() && layer < num_layers()) detail::check_recorded(config());
  return state_->training.a(layer);
}

std::span<const std::uint8_t> Mlp::mask(std::size_t layer) const {
  check_layer(layer, 0, num_layers() - 1);
  detail::check_recorded(config());
  detail::check_forward(state_->training);
  return state_->training.mask(layer);
}

ConstMatrix Mlp::da(std::size_t layer) const {
  check_layer(layer, 1, num_layers() - 1);
  detail::check_recorded(config());
  detail::check_backward(state_->training);
  return state_->training.da(layer);
}

ConstMatrix Mlp::dz(std::size_t layer) const {
  check_layer(layer, 1, num_layers());
  detail::check_backward(state_->training);
  if (state_->model.drops_neurons() && layer < num_layers()) detail::check_recorded(config());
  return state_->training.dz(layer);
}

ConstMatrix Mlp::dw(std::size_t layer) const {
  check_layer(layer, 1, num_layers());
  detail::check_gradients(state_->training);
  return state_->training.dw(layer);
}

std::span<const float> Mlp::db(std::size_t layer) const {
  check_layer(layer, 1, num_layers());
  detail::check_gradients(state_->training);
  return state_->training.db(layer);
}

std::size_t Mlp::workspace_bytes() const noexcept {
  return sizeof(float) * (state_->memory.floats() + state_->training.kept_weights_floats());
}

}  // namespace simdrop
