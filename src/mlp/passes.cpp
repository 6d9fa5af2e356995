// Forward and backward propagation.
#include <algorithm>
#include <cstring>

#include "mask_source.h"
#include "mlp/gemm.h"
#include "mlp/loss.h"
#include "mlp/network.h"
#include "mlp/stream_id.h"
#include "parallel.h"
#include "simdrop/mask.hpp"

namespace simdrop::detail {
namespace {

// Less than this is not worth a thread: a few microseconds of an elementwise kernel, and of
// exponentials.
constexpr std::size_t elements_per_thread = 8192;
constexpr std::size_t outputs_per_thread = 2048;
// Columns are split at cache lines.
constexpr std::size_t floats_per_line = 16;

// Runs fn(first row, rows). Splits at multiples of eight rows, so that no two threads share a byte
// of a mask.
template <class Fn>
void for_rows(std::size_t rows, std::size_t width, std::size_t least, int num_threads, Fn&& fn) {
  const std::size_t grain = 8 * std::max<std::size_t>(1, least / 8 / width);
  parallel_for(rows, grain, num_threads,
               [&](std::size_t begin, std::size_t end) { fn(begin, end - begin); });
}

Matrix rows_of(Matrix matrix, std::size_t first, std::size_t rows) {
  return {matrix.row(first), rows, matrix.cols, matrix.ld};
}

}  // namespace

ConstMatrix Network::activation(std::size_t layer) const {
  if (layer == 0) return input;
  return {layers[layer].a.get(), forward_rows, layers[layer].width};
}

MaskSource Network::mask_source(std::size_t layer, std::uint64_t step,
                                std::uint64_t first_row) const {
  const Layer& source = layers[layer];
  return make_mask_source({.keep_prob = source.used_keep_prob,
                           .stream = {config.seed, stream_id(StreamDomain::mask, layer, step)},
                           .first = first_row * source.width},
                          source.injected.empty() ? nullptr : source.injected.data());
}

// Where kernels write the mask of this batch in record mode, or nullptr: an injected one is copied.
std::uint8_t* Network::prepare_mask(std::size_t layer) {
  const Layer& source = layers[layer];
  if (!config.record || source.injected.empty()) return source.mask.get();
  const std::size_t bits = forward_rows * source.width;
  std::memcpy(source.mask.get(), source.injected.data(), mask_bytes(bits));
  if (bits % 8 != 0) {
    source.mask[bits / 8] &= static_cast<std::uint8_t>((1U << (bits % 8)) - 1U);
  }
  return nullptr;
}

// y = x W^T.
void Network::linear(ConstMatrix x, std::size_t layer, float* y, std::size_t ld) {
  const Matrix w = weights(layer);
  gemm(table_, {x.rows, w.rows, w.cols}, 1.0F, {x.data, x.ld, 1}, {w.data, 1, w.ld}, y, ld,
       workspace_.get(), team());
}

// Bias, activation and, unless targets is null, loss and gradient of the last layer.
void Network::finish_output(const OutputRows& output, const Targets* targets) {
  for_rows(output.rows, output.cols, outputs_per_thread, team(),
           [&](std::size_t first, std::size_t rows) {
             output_rows(table_, config.loss, output, targets, first, first + rows);
           });
}

// The last layer of this batch.
OutputRows Network::output_of_batch(const float* bias) const {
  const Layer& output = layers[last()];
  return {forward_rows,   output.width,   output.width,    bias,
          output.z.get(), output.a.get(), output.dz.get(), losses_.get()};
}

void Network::forward_input(ConstMatrix x, std::uint64_t step, std::uint64_t first_row) {
  Layer& layer = layers[0];
  layer.used_keep_prob = config.input_keep_prob;
  input = x;
  if (layer.used_keep_prob == 1.0 && layer.injected.empty() && !config.record) return;
  input = {layer.a.get(), x.rows, x.cols};
  const MaskSource source = mask_source(0, step, first_row);
  const float scale = dropout_scale(layer.used_keep_prob);
  std::uint8_t* mask = prepare_mask(0);
  for_rows(x.rows, x.cols, elements_per_thread, team(), [&](std::size_t first, std::size_t rows) {
    const std::size_t offset = first * x.cols;
    table_.f32.dropout(advance(source, offset), scale, {rows, x.cols, x.ld, x.cols}, x.row(first),
                       layer.a.get() + offset, mask == nullptr ? nullptr : mask + offset / 8);
  });
}

void Network::forward_hidden(std::size_t l, std::uint64_t step, std::uint64_t first_row) {
  Layer& layer = layers[l];
  const std::size_t width = layer.width;
  layer.used_keep_prob = keep_prob(l);
  const MaskSource source = mask_source(l, step, first_row);
  const float scale = dropout_scale(layer.used_keep_prob);
  std::uint8_t* mask = prepare_mask(l);
  float* product = config.record ? layer.z.get() : layer.a.get();
  linear(activation(l - 1), l, product, width);
  for_rows(
      forward_rows, width, elements_per_thread, team(), [&](std::size_t first, std::size_t rows) {
        const std::size_t offset = first * width;
        float* z = product + offset;
        if (config.record) table_.add_bias_f32(rows, width, layer.bias.get(), z, width);
        table_.f32.bias_relu_dropout(advance(source, offset), scale, {rows, width, width, width}, z,
                                     config.record ? nullptr : layer.bias.get(),
                                     layer.a.get() + offset,
                                     mask == nullptr ? nullptr : mask + offset / 8);
      });
}

// Up to the products of the last layer, without its bias.
void Network::forward_to_output(ConstMatrix x, std::uint64_t step, std::uint64_t first_row) {
  forward_rows = x.rows;
  forward_input(x, step, first_row);
  for (std::size_t l = 1; l < last(); ++l) forward_hidden(l, step, first_row);
  Layer& output = layers[last()];
  linear(activation(last() - 1), last(), output.z.get(), output.width);
}

ConstMatrix Network::forward(ConstMatrix x, std::uint64_t step, std::uint64_t first_row) {
  forward_to_output(x, step, first_row);
  finish_output(output_of_batch(layers[last()].bias.get()), nullptr);
  return activation(last());
}

// Losses are summed in row order, whatever the team.
double Network::mean_of_losses() const {
  double sum = 0.0;
  for (std::size_t r = 0; r < forward_rows; ++r) sum += losses_[r];
  return sum / static_cast<double>(forward_rows);
}

// dW = dZ^T A_prev / m, db = column sums of dZ / m.
void Network::parameter_gradients(std::size_t l) {
  const Layer& layer = layers[l];
  const ConstMatrix previous = activation(l - 1);
  const std::size_t width = layer.width;
  const std::size_t m = forward_rows;
  const auto mean = static_cast<float>(1.0 / static_cast<double>(m));
  gemm(table_, {width, previous.cols, m}, mean, {layer.dz.get(), 1, width},
       {previous.data, previous.ld, 1}, layer.dw.get(), previous.cols, workspace_.get(), team());
  const std::size_t grain = floats_per_line * (1 + elements_per_thread / floats_per_line / m);
  parallel_for(width, grain, team(), [&](std::size_t begin, std::size_t end) {
    table_.column_sum_f32(m, end - begin, layer.dz.get() + begin, width, mean,
                          layer.db.get() + begin);
  });
}

// dA after mask and scale, from dA before them (which lies in dz).
void Network::record_da(const Layer& hidden) {
  const MaskSource source =
      make_mask_source({.keep_prob = hidden.used_keep_prob}, hidden.mask.get());
  const float scale = dropout_scale(hidden.used_keep_prob);
  const std::size_t n = hidden.width;
  for_rows(forward_rows, n, elements_per_thread, team(), [&](std::size_t first, std::size_t rows) {
    const std::size_t offset = first * n;
    table_.f32.dropout(advance(source, offset), scale, {rows, n, n, n}, hidden.dz.get() + offset,
                       hidden.da.get() + offset, nullptr);
  });
}

// dZ of layer l - 1 from dZ of layer l: dZ W, then back through dropout and ReLU in place.
void Network::propagate(std::size_t l) {
  const Layer& hidden = layers[l - 1];
  const Matrix w = weights(l);
  const std::size_t n = hidden.width;
  gemm(table_, {forward_rows, n, w.rows}, 1.0F, {layers[l].dz.get(), w.rows, 1}, {w.data, w.ld, 1},
       hidden.dz.get(), n, workspace_.get(), team());
  if (config.record) record_da(hidden);
  const float scale = dropout_scale(hidden.used_keep_prob);
  for_rows(forward_rows, n, elements_per_thread, team(), [&](std::size_t first, std::size_t rows) {
    const std::size_t offset = first * n;
    float* dz = hidden.dz.get() + offset;
    table_.f32.relu_dropout_backward(scale, {rows, n, n, n}, hidden.a.get() + offset, dz, n, dz);
  });
}

// From the gradient of the last layer on. Returns the mean loss.
double Network::backward_from_output() {
  backward_rows = forward_rows;
  for (std::size_t l = last(); l >= 1; --l) {
    parameter_gradients(l);
    if (l > 1) propagate(l);
  }
  return mean_of_losses();
}

// z has its bias from forward(); the activation comes out as it is.
double Network::backward(const Targets& targets) {
  finish_output(output_of_batch(nullptr), &targets);
  return backward_from_output();
}

double Network::forward_backward(ConstMatrix x, const Targets& targets, std::uint64_t step,
                                 std::uint64_t first_row) {
  forward_to_output(x, step, first_row);
  finish_output(output_of_batch(layers[last()].bias.get()), &targets);
  return backward_from_output();
}

void Network::predict(ConstMatrix x, Matrix out) {
  const MaskSource all_kept = make_mask_source({.keep_prob = 1.0});
  for (std::size_t begin = 0; begin < x.rows; begin += config.max_batch) {
    const std::size_t m = std::min(config.max_batch, x.rows - begin);
    ConstMatrix in{x.row(begin), m, x.cols, x.ld};
    for (std::size_t l = 1; l < last(); ++l) {
      const std::size_t n = layers[l].width;
      float* y = predict_[l % 2].get();
      linear(in, l, y, n);
      for_rows(m, n, elements_per_thread, team(), [&](std::size_t first, std::size_t rows) {
        table_.f32.bias_relu_dropout(all_kept, 1.0F, {rows, n, n, n}, y + first * n,
                                     layers[l].bias.get(), y + first * n, nullptr);
      });
      in = {y, m, n};
    }
    const Matrix part = rows_of(out, begin, m);
    linear(in, last(), part.data, part.ld);
    finish_output({part.rows, part.cols, part.ld, layers[last()].bias.get(), part.data, part.data,
                   nullptr, nullptr},
                  nullptr);
  }
}

}  // namespace simdrop::detail
