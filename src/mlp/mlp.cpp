#include "simdrop/mlp.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "check.h"
#include "mlp/config.h"
#include "mlp/loss.h"
#include "mlp/network.h"
#include "mlp/stream_id.h"
#include "simdrop/mask.hpp"

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

void check_count(std::string_view name, std::size_t value, std::size_t wanted) {
  if (value != wanted) throw_invalid(name, value, std::to_string(wanted));
}

struct Names {
  const char *cols, *ld, *data;
};
constexpr Names x_names{"x.cols", "x.ld", "x.data"};
constexpr Names out_names{"out.cols", "out.ld", "out.data"};
constexpr Names predictions_names{"predictions.cols", "predictions.ld", "predictions.data"};

void check_matrix(const Names& names, ConstMatrix m, std::size_t cols) {
  check_count(names.cols, m.cols, cols);
  if (m.rows > 1 && m.ld < m.cols) {
    throw_invalid(names.ld, m.ld, ">= cols = " + std::to_string(m.cols));
  }
  check_argument(m.rows == 0 || m.data != nullptr, names.data, "null", "a valid pointer");
}

void check_batch(const Network& network, ConstMatrix x, std::uint64_t step) {
  const MlpConfig& config = network.config;
  if (x.rows < 1 || x.rows > config.max_batch) {
    throw_invalid("x.rows", x.rows, range(1, config.max_batch));
  }
  check_matrix(x_names, x, config.widths.front());
  check_step(step);
}

void check_optimizer(const Network& network, const Optimizer& optimizer) {
  const auto& sizes = optimizer.sizes();
  check_count("optimizer.sizes().size()", sizes.size(), 2 * network.last());
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const std::size_t layer = 1 + i / 2;
    const std::size_t wanted =
        i % 2 == 0 ? network.weights(layer).size() : network.bias(layer).size();
    if (sizes[i] == wanted) continue;
    throw_invalid("optimizer.sizes()[" + std::to_string(i) + "]", sizes[i], std::to_string(wanted));
  }
}

// Views of the same leading dimension may interleave: different columns of one matrix.
bool overlap(ConstMatrix x, ConstMatrix y) {
  if (x.size() == 0 || y.size() == 0) return false;
  const std::less<> before;
  if (before(y.data, x.data)) std::swap(x, y);
  if (!before(y.data, x.row(x.rows - 1) + x.cols)) return false;
  if (x.rows == 1 || y.rows == 1 || x.ld != y.ld) return true;
  const std::size_t col = static_cast<std::size_t>(y.data - x.data) % x.ld;
  return col < x.cols || col + y.cols > x.ld;
}

void check_recorded(const Network& network) {
  if (!network.config.record) {
    throw std::logic_error("simdrop: z, mask and da are kept only if MlpConfig::record is true");
  }
}

void check_forward(const Network& network) {
  if (network.forward_rows == 0) throw std::logic_error("simdrop: there was no forward() yet");
}

void check_backward(const Network& network) {
  if (network.backward_rows == 0) throw std::logic_error("simdrop: there was no backward() yet");
}

}  // namespace

struct Mlp::State {
  Network network;
};

Mlp::Mlp(const MlpConfig& config) : state_(new State{Network(detail::checked_config(config))}) {}
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

void Mlp::set_keep_prob(std::size_t layer, double keep_prob) {
  check_layer(layer, 0, num_layers() - 1);
  detail::check_keep_prob(keep_prob);
  state_->network.keep_prob(layer) = keep_prob;
}

void Mlp::inject_mask(std::size_t layer, std::span<const std::uint8_t> bits) {
  check_layer(layer, 0, num_layers() - 1);
  const MlpConfig& c = config();
  const std::size_t bytes = mask_bytes(c.max_batch * c.widths[layer]);
  check_argument(bits.empty() || bits.size() == bytes, "bits.size()", bits.size(),
                 "0 or mask_bytes(max_batch * width) = " + std::to_string(bytes));
  state_->network.layers[layer].injected.assign(bits.begin(), bits.end());
}

ConstMatrix Mlp::forward(ConstMatrix x, std::uint64_t step, std::uint64_t first_row) {
  check_batch(state_->network, x, step);
  return state_->network.forward(x, step, first_row);
}

double Mlp::backward(const Targets& targets) {
  Network& network = state_->network;
  check_forward(network);
  detail::check_targets(network.config.loss, targets, network.forward_rows,
                        network.config.widths.back());
  return network.backward(targets);
}

double Mlp::train_step(ConstMatrix x, const Targets& targets, Optimizer& optimizer,
                       std::uint64_t first_row) {
  Network& network = state_->network;
  check_batch(network, x, optimizer.step_count());
  detail::check_targets(network.config.loss, targets, x.rows, network.config.widths.back());
  check_optimizer(network, optimizer);
  const double loss = network.forward_backward(x, targets, optimizer.step_count(), first_row);
  optimizer.begin_step();
  for (std::size_t l = 1; l <= network.last(); ++l) {
    const Matrix w = network.weights(l);
    const detail::Layer& layer = network.layers[l];
    optimizer.update(2 * l - 2, {w.data, w.size()}, {layer.dw.get(), w.size()}, network.team());
    optimizer.update(2 * l - 1, network.bias(l), {layer.db.get(), layer.width}, network.team());
  }
  return loss;
}

void Mlp::predict(ConstMatrix x, Matrix out) {
  const auto& widths = config().widths;
  check_matrix(x_names, x, widths.front());
  check_count("out.rows", out.rows, x.rows);
  check_matrix(out_names, out, widths.back());
  check_argument(!overlap(x, out), "out", "a matrix that overlaps x", "one that does not");
  state_->network.predict(x, out);
}

double Mlp::loss_of(ConstMatrix predictions, const Targets& targets) const {
  const MlpConfig& c = config();
  check_argument(predictions.rows >= 1, "predictions.rows", predictions.rows, ">= 1");
  check_matrix(predictions_names, predictions, c.widths.back());
  detail::check_targets(c.loss, targets, predictions.rows, c.widths.back());
  return detail::mean_loss(c.loss, predictions, targets);
}

ConstMatrix Mlp::z(std::size_t layer) const {
  const Network& network = state_->network;
  check_layer(layer, 1, num_layers());
  check_recorded(network);
  check_forward(network);
  const detail::Layer& l = network.layers[layer];
  return {l.z.get(), network.forward_rows, l.width};
}

ConstMatrix Mlp::a(std::size_t layer) const {
  const Network& network = state_->network;
  check_layer(layer, 0, num_layers());
  check_forward(network);
  return network.activation(layer);
}

std::span<const std::uint8_t> Mlp::mask(std::size_t layer) const {
  const Network& network = state_->network;
  check_layer(layer, 0, num_layers() - 1);
  check_recorded(network);
  check_forward(network);
  const detail::Layer& l = network.layers[layer];
  return {l.mask.get(), mask_bytes(network.forward_rows * l.width)};
}

ConstMatrix Mlp::da(std::size_t layer) const {
  const Network& network = state_->network;
  check_layer(layer, 1, num_layers() - 1);
  check_recorded(network);
  check_backward(network);
  const detail::Layer& l = network.layers[layer];
  return {l.da.get(), network.backward_rows, l.width};
}

ConstMatrix Mlp::dz(std::size_t layer) const {
  const Network& network = state_->network;
  check_layer(layer, 1, num_layers());
  check_backward(network);
  const detail::Layer& l = network.layers[layer];
  return {l.dz.get(), network.backward_rows, l.width};
}

ConstMatrix Mlp::dw(std::size_t layer) const {
  const Network& network = state_->network;
  check_layer(layer, 1, num_layers());
  check_backward(network);
  const Matrix w = network.weights(layer);
  return {network.layers[layer].dw.get(), w.rows, w.cols};
}

std::span<const float> Mlp::db(std::size_t layer) const {
  const Network& network = state_->network;
  check_layer(layer, 1, num_layers());
  check_backward(network);
  return {network.layers[layer].db.get(), network.layers[layer].width};
}

}  // namespace simdrop
