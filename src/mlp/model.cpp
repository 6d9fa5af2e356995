#include "mlp/model.h"

#include <algorithm>

#include "dispatch/dispatch.h"
#include "linear/blocking.h"
#include "mlp/config.h"
#include "mlp/init.h"
#include "mlp/loss.h"
#include "threading/parallel.h"

namespace simdrop::detail {
namespace {

// A pass has several barriers, so a thread must have more to do than in one product.
constexpr double products_per_pass = 8.0;

}  // namespace

Model::Model(const MlpConfig& config) : config_(config), table_(kernels()) {
  allocate();
  for (std::size_t l = 1; l <= last(); ++l) {
    initialise_weights(table_, config_.init, config_.seed, l, weights(l), own_threads(config_));
    std::ranges::fill(bias(l), 0.0F);
  }
}

Model::Model(const MlpConfig& config, const Model& other) : config_(config), table_(kernels()) {
  allocate();
  for (std::size_t l = 1; l <= last(); ++l) {
    const ConstMatrix w = other.weights(l);
    std::copy_n(w.data, w.size(), weights(l).data);
    std::ranges::copy(other.bias(l), bias(l).begin());
  }
}

void Model::allocate() {
  if (config_.keep_prob.empty()) config_.keep_prob.assign(last() - 1, 1.0);
  for (std::size_t l = 1; l <= last(); ++l) {
    weights_.push_back(make_buffer<float>(checked_product(width(l), width(l - 1))));
    biases_.push_back(make_buffer<float>(width(l)));
  }
}

double Model::keep_prob(std::size_t layer) const noexcept {
  return layer == 0 ? config_.input_keep_prob : config_.keep_prob[layer - 1];
}

void Model::set_keep_prob(std::size_t layer, double keep_prob) noexcept {
  (layer == 0 ? config_.input_keep_prob : config_.keep_prob[layer - 1]) = keep_prob;
}

Matrix Model::weights(std::size_t layer) noexcept {
  return {weights_[layer - 1].get(), width(layer), width(layer - 1)};
}

ConstMatrix Model::weights(std::size_t layer) const noexcept {
  return {weights_[layer - 1].get(), width(layer), width(layer - 1)};
}

std::span<float> Model::bias(std::size_t layer) noexcept {
  return {biases_[layer - 1].get(), width(layer)};
}

std::span<const float> Model::bias(std::size_t layer) const noexcept {
  return {biases_[layer - 1].get(), width(layer)};
}

Threads Model::team_for(const Threads& threads, std::size_t rows, double times) const noexcept {
  double weights = 0.0;
  for (std::size_t l = 1; l <= last(); ++l) {
    weights += static_cast<double>(width(l)) * static_cast<double>(width(l - 1));
  }
  const auto members = static_cast<std::size_t>(threads.count);
  const double multiply_adds = weights * times * static_cast<double>(rows) / products_per_pass;
  return of_size(threads, useful_threads(members, multiply_adds));
}

ForwardProduct<float> Model::product(std::size_t layer, ConstMatrix x, Matrix y) const noexcept {
  ForwardProduct<float> product{.x = x, .weights = weights(layer), .y = y};
  product.epilogue.bias = bias(layer).data();
  product.epilogue.relu = layer < last();
  product.epilogue.scale = 1.0F;
  return product;
}

void Model::finish_outputs(const TeamMember& member, const OutputRows& outputs,
                           const Targets* targets) const {
  const Range rows = share_of(member, outputs.rows, 1, outputs_per_thread / outputs.cols);
  if (rows.empty()) return;
  output_rows(table_, config_.loss, outputs, targets, rows.begin, rows.end);
}

}  // namespace simdrop::detail
