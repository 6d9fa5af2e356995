#include "simdrop/mlp.hpp"

#include <algorithm>
#include <limits>
#include <string>

#include "base/check.h"
#include "base/matrix_check.h"
#include "mask/mask_check.h"
#include "mlp/config.h"
#include "mlp/loss.h"
#include "mlp/mlp_state.h"
#include "mlp/network.h"
#include "mlp/stream_id.h"
#include "simdrop/mask.hpp"
#include "threading/parallel.h"

namespace simdrop {
namespace {

using detail::check_argument;
using detail::Network;
using detail::throw_invalid;

// Texts that need memory are built only where they are thrown: a step allocates nothing.
std::string range(std::size_t low, std::size_t high) {
  return std::to_string(low) + " ... " + std::to_string(high);
}

void check_layer(std::size_t layer, std::size_t low, std::size_t high) {
  if (layer >= low && layer <= high) return;
  throw_invalid("layer", layer, low <= high ? range(low, high) : "none in this network");
}

void check_step(std::uint64_t step) {
  check_argument(step < detail::max_steps, "step", step, "less than 2^40");
}

void check_batch(const Network& network, ConstMatrix x, std::uint64_t step) {
  const MlpConfig& config = network.config;
  if (x.rows < 1 || x.rows > config.max_batch) {
    throw_invalid("x.rows", x.rows, range(1, config.max_batch) + " = MlpConfig::max_batch");
  }
  detail::check_cols(x, "x", config.widths.front(), "number of inputs");
  detail::check_memory(x, "x");
  check_step(step);
}

// Groups are counted from row 0: where row numbers wrap, there would be one more than memory is
// for.
void check_first_row(const MlpConfig& config, std::uint64_t first_row, std::size_t rows) {
  if (config.dropout_group == 0) return;
  const std::uint64_t last = std::numeric_limits<std::uint64_t>::max() - (rows - 1);
  if (first_row > last) {
    throw_invalid("first_row", first_row,
                  "at most 2^64 - x.rows = " + std::to_string(last) + ", with dropout_group");
  }
}

void check_optimizer(const Network& network, const Optimizer& optimizer) {
  const auto& sizes = optimizer.sizes();
  detail::check_array(std::span(sizes), "optimizer.sizes()", 2 * network.last(),
                      "2 * number of layers");
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const std::size_t layer = 1 + i / 2;
    const std::size_t wanted =
        i % 2 == 0 ? network.weights(layer).size() : network.bias(layer).size();
    if (sizes[i] == wanted) continue;
    throw_invalid("optimizer.sizes()[" + std::to_string(i) + "]", sizes[i], std::to_string(wanted));
  }
}

void check_recorded(const Network& network) {
  if (!network.config.record) {
    throw std::logic_error(
        "simdrop: z, mask and da, and with DropoutUnit::neuron a and dz, are kept only if "
        "MlpConfig::record is true");
  }
}

// The threads of a call, whose memory is reserved before anything is written.
Threads reserve(Network& network, const std::optional<Threads>& threads) {
  if (threads.has_value()) detail::check_threads(*threads);
  return network.memory.reserve(threads.value_or(detail::own_threads(network.config)));
}

void check_forward(const Network& network) {
  if (network.forward_rows == 0) throw std::logic_error("simdrop: there was no forward() yet");
}

void check_backward(const Network& network) {
  if (network.backward_rows == 0) throw std::logic_error("simdrop: there was no backward() yet");
}

void check_gradients(const Network& network) {
  check_backward(network);
  if (!network.has_gradients) {
    throw std::logic_error(
        "simdrop: train_step() keeps dw and db only if MlpConfig::keep_gradients or record is "
        "true");
  }
}

}  // namespace

Mlp::Mlp(const MlpConfig& config)
    : state_(std::make_unique<State>(detail::checked_config(config))) {}
Mlp::~Mlp() = default;
Mlp::Mlp(Mlp&&) noexcept = default;
Mlp& Mlp::operator=(Mlp&&) noexcept = default;

const MlpConfig& Mlp::config() const noexcept {
  return state_->network.config;
}

std::size_t Mlp::num_layers() const noexcept {
  return state_->network.last();
}

std::size_t Mlp::num_parameters() const noexcept {
  std::size_t sum = 0;
  for (std::size_t l = 1; l <= num_layers(); ++l) {
    sum += state_->network.weights(l).size() + state_->network.bias(l).size();
  }
  return sum;
}

std::vector<std::size_t> Mlp::parameter_sizes() const {
  std::vector<std::size_t> sizes;
  for (std::size_t l = 1; l <= num_layers(); ++l) {
    sizes.push_back(state_->network.weights(l).size());
    sizes.push_back(state_->network.bias(l).size());
  }
  return sizes;
}

Matrix Mlp::weights(std::size_t layer) {
  check_layer(layer, 1, num_layers());
  return state_->network.weights(layer);
}

ConstMatrix Mlp::weights(std::size_t layer) const {
  check_layer(layer, 1, num_layers());
  return state_->network.weights(layer);
}

std::span<float> Mlp::bias(std::size_t layer) {
  check_layer(layer, 1, num_layers());
  return state_->network.bias(layer);
}

std::span<const float> Mlp::bias(std::size_t layer) const {
  check_layer(layer, 1, num_layers());
  return state_->network.bias(layer);
}

std::uint64_t Mlp::mask_stream_id(std::size_t layer, std::uint64_t step) {
  check_layer(layer, 0, detail::max_layers - 1);
  check_step(step);
  return detail::stream_id(detail::StreamDomain::mask, layer, step);
}

std::uint64_t Mlp::sample_stream_id(std::size_t layer, std::uint64_t sample) {
  check_layer(layer, 0, detail::max_layers - 1);
  check_argument(sample < detail::max_steps, "sample", sample, "less than 2^40");
  return detail::stream_id(detail::StreamDomain::sample, layer, sample);
}

void Mlp::set_keep_prob(std::size_t layer, double keep_prob) {
  check_layer(layer, 0, num_layers() - 1);
  detail::check_keep_prob(keep_prob);
  state_->network.keep_prob(layer) = keep_prob;
}

void Mlp::inject_mask(std::size_t layer, std::span<const std::uint8_t> bits) {
  check_layer(layer, 0, num_layers() - 1);
  const std::size_t bytes = mask_bytes(state_->network.injected_size(layer));
  detail::check_optional_array(bits, "bits", bytes, "mask_bytes() of the mask");
  auto& injected = state_->network.layers[layer].injected;
  injected.assign(bits.begin(), bits.end());
  if (!bits.empty()) injected.resize(bytes + detail::mask_slack);
}

ConstMatrix Mlp::forward(ConstMatrix x, std::uint64_t step, std::uint64_t first_row,
                         std::optional<Threads> threads) {
  Network& network = state_->network;
  check_batch(network, x, step);
  check_first_row(network.config, first_row, x.rows);
  return network.forward(x, step, first_row, reserve(network, threads));
}

double Mlp::backward(const Targets& targets, std::optional<Threads> threads) {
  Network& network = state_->network;
  check_forward(network);
  detail::check_targets(network.config.loss, targets, network.forward_rows,
                        network.config.widths.back());
  return network.backward(targets, reserve(network, threads));
}

double Mlp::train_step(ConstMatrix x, const Targets& targets, Optimizer& optimizer,
                       std::uint64_t first_row, std::optional<Threads> threads) {
  Network& network = state_->network;
  check_batch(network, x, optimizer.step_count());
  check_first_row(network.config, first_row, x.rows);
  detail::check_targets(network.config.loss, targets, x.rows, network.config.widths.back());
  check_optimizer(network, optimizer);
  return network.train_step(x, targets, optimizer, first_row, reserve(network, threads));
}

double Mlp::loss_of(ConstMatrix predictions, const Targets& targets) const {
  const MlpConfig& c = config();
  check_argument(predictions.rows >= 1, "predictions.rows", predictions.rows, ">= 1");
  detail::check_cols(predictions, "predictions", c.widths.back(), "number of outputs");
  detail::check_memory(predictions, "predictions");
  detail::check_targets(c.loss, targets, predictions.rows, c.widths.back());
  return detail::mean_loss(c.loss, predictions, targets);
}

ConstMatrix Mlp::z(std::size_t layer) const {
  const Network& network = state_->network;
  check_layer(layer, 1, num_layers());
  check_recorded(network);
  check_forward(network);
  const detail::Layer& l = network.layers[layer];
  const bool spread = network.neuron() && layer < num_layers();
  return {spread ? l.kept.z.get() : l.z.get(), network.forward_rows, l.width};
}

ConstMatrix Mlp::a(std::size_t layer) const {
  const Network& network = state_->network;
  check_layer(layer, 0, num_layers());
  check_forward(network);
  if (!network.neuron() || layer == num_layers()) return network.activation(layer);
  check_recorded(network);
  const detail::Layer& l = network.layers[layer];
  return {l.kept.a.get(), network.forward_rows, l.width};
}

std::span<const std::uint8_t> Mlp::mask(std::size_t layer) const {
  const Network& network = state_->network;
  check_layer(layer, 0, num_layers() - 1);
  check_recorded(network);
  check_forward(network);
  return {network.layers[layer].mask.get(), mask_bytes(network.mask_size(layer))};
}

ConstMatrix Mlp::da(std::size_t layer) const {
  const Network& network = state_->network;
  check_layer(layer, 1, num_layers() - 1);
  check_recorded(network);
  check_backward(network);
  const detail::Layer& l = network.layers[layer];
  return {network.neuron() ? l.kept.da.get() : l.da.get(), network.backward_rows, l.width};
}

ConstMatrix Mlp::dz(std::size_t layer) const {
  const Network& network = state_->network;
  check_layer(layer, 1, num_layers());
  check_backward(network);
  const detail::Layer& l = network.layers[layer];
  if (!network.neuron() || layer == num_layers()) {
    return {l.dz.get(), network.backward_rows, l.width};
  }
  check_recorded(network);
  return {l.kept.dz.get(), network.backward_rows, l.width};
}

ConstMatrix Mlp::dw(std::size_t layer) const {
  const Network& network = state_->network;
  check_layer(layer, 1, num_layers());
  check_gradients(network);
  const Matrix w = network.weights(layer);
  return {network.layers[layer].dw.get(), w.rows, w.cols};
}

std::span<const float> Mlp::db(std::size_t layer) const {
  const Network& network = state_->network;
  check_layer(layer, 1, num_layers());
  check_gradients(network);
  return {network.layers[layer].db.get(), network.layers[layer].width};
}

std::size_t Mlp::workspace_bytes() const noexcept {
  return state_->network.workspace_bytes();
}

Mlp Mlp::clone() const {
  Mlp copy(config());
  for (std::size_t l = 0; l <= num_layers(); ++l) {
    detail::Layer& to = copy.state_->network.layers[l];
    to.injected = state_->network.layers[l].injected;
    if (l == 0) continue;
    const ConstMatrix w = weights(l);
    std::ranges::copy(std::span(w.data, w.size()), to.weights.get());
    std::ranges::copy(bias(l), to.bias.get());
  }
  return copy;
}

}  // namespace simdrop
