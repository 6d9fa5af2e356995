// Inference on few rows, and on many samples of dropout.
#include <algorithm>

#include "mask_source.h"
#include "mlp/linear_small.h"
#include "mlp/loss.h"
#include "mlp/network.h"
#include "mlp/stream_id.h"
#include "parallel.h"
#include "simdrop/mask.hpp"

namespace simdrop::detail {
namespace {

// As in passes.cpp.
constexpr std::size_t elements_per_thread = 8192;
constexpr std::size_t outputs_per_thread = 512;

std::size_t row_grain(std::size_t elements, std::size_t width) {
  return std::max<std::size_t>(1, elements / width);
}

}  // namespace

// A of layer `end` - 1 (of x for layer 0) without dropout; x.rows <= max_batch.
ConstMatrix Network::hidden_few(ConstMatrix x, std::size_t end) {
  for (std::size_t l = 1; l < end; ++l) {
    const Matrix y{predict_[l % 2].get(), x.rows, layers[l].width};
    linear_small(table_, x, weights(l), bias(l), true, y, team());
    x = y;
  }
  return x;
}

void Network::output_few(ConstMatrix x, Matrix out) {
  linear_small(table_, x, weights(last()), bias(last()), false, out, team());
  const std::size_t grain = row_grain(outputs_per_thread, out.cols);
  parallel_for(out.rows, grain, team(), [&](std::size_t begin, std::size_t end) {
    const Matrix part{out.row(begin), end - begin, out.cols, out.ld};
    activate(config.loss, part, part);
  });
}

void Network::predict_few(ConstMatrix x, Matrix out) {
  output_few(hidden_few(x, last()), out);
}

// The first layer that drops anything, or last().
std::size_t Network::first_dropped() {
  std::size_t l = 0;
  while (l < last() && keep_prob(l) == 1.0) ++l;
  return l;
}

// Row s * pass.rows + r of y: row r of sample s, after the dropout of layer l (and its bias and
// ReLU, if it is not the input). in: those rows before, or the pass.rows that all samples share.
void Network::drop_samples(std::size_t l, const SamplePass& pass, ConstMatrix in, Matrix y) {
  const MaskSource plan = make_mask_source({.keep_prob = keep_prob(l), .stream = {config.seed, 0}});
  const float scale = dropout_scale(keep_prob(l));
  const std::size_t grain = row_grain(elements_per_thread, y.cols);
  parallel_for(y.rows, grain, team(), [&](std::size_t begin, std::size_t end) {
    MaskSource source = plan;
    for (std::size_t i = begin, count = 0; i < end; i += count) {
      const std::size_t r = i % pass.rows;
      count = std::min(end - i, pass.rows - r);
      source.stream = stream_id(StreamDomain::sample, l, pass.first_sample + i / pass.rows);
      source.first = (pass.first_row + r) * y.cols;
      const Shape2D shape{count, y.cols, in.ld, y.ld};
      const float* from = in.row(in.rows == pass.rows ? r : i);
      if (l == 0) {
        table_.f32.dropout(source, scale, shape, from, y.row(i), nullptr);
      } else {
        table_.f32.bias_relu_dropout(source, scale, shape, from, bias(l).data(), y.row(i), nullptr);
      }
    }
  });
}

// Outputs of every sample of a pass. `base` is what they share: the input, if that is the first
// that drops, or else the product of layer `first` before its bias.
void Network::sample_outputs(std::size_t first, const SamplePass& pass, ConstMatrix base) {
  const std::size_t rows = pass.samples * pass.rows;
  const auto stacked = [&](std::size_t l) {
    return Matrix{l == 0 ? samples_.input.get() : predict_[l % 2].get(), rows, layers[l].width};
  };
  Matrix in = stacked(first);
  drop_samples(first, pass, base, in);
  for (std::size_t l = first + 1; l < last(); ++l) {
    const Matrix y = stacked(l);
    const bool drops = keep_prob(l) != 1.0;
    linear_small(table_, in, weights(l), drops ? std::span<float>() : bias(l), !drops, y, team());
    if (drops) drop_samples(l, pass, y, y);
    in = y;
  }
  output_few(in, {samples_.out.get(), rows, layers[last()].width});
}

// Welford's update, sample by sample; `done` of them came before.
// Source: Welford, "Note on a method for calculating corrected sums of squares and products",
// Technometrics 4 (1962).
void Network::add_samples(std::size_t done, const SamplePass& pass) {
  const std::size_t n = pass.rows * layers[last()].width;
  double* mean = samples_.mean.get();
  double* squares = samples_.squares.get();
  parallel_for(n, outputs_per_thread, team(), [&](std::size_t begin, std::size_t end) {
    if (done == 0) {
      std::fill(mean + begin, mean + end, 0.0);
      std::fill(squares + begin, squares + end, 0.0);
    }
    for (std::size_t s = 0; s < pass.samples; ++s) {
      const float* out = samples_.out.get() + s * n;
      const auto count = static_cast<double>(done + s + 1);
      for (std::size_t i = begin; i < end; ++i) {
        const double value = static_cast<double>(out[i]);
        const double delta = value - mean[i];
        mean[i] += delta / count;
        squares[i] += delta * (value - mean[i]);
      }
    }
  });
}

void Network::write_moments(std::size_t samples, Matrix mean, Matrix variance) const {
  const double divisor = samples > 1 ? static_cast<double>(samples - 1) : 1.0;
  for (std::size_t r = 0; r < mean.rows; ++r) {
    for (std::size_t c = 0; c < mean.cols; ++c) {
      mean(r, c) = static_cast<float>(samples_.mean[r * mean.cols + c]);
      variance(r, c) = static_cast<float>(samples_.squares[r * mean.cols + c] / divisor);
    }
  }
}

// Samples are stacked as rows of one batch, as many as fit into max_batch: the weights are read
// once for all of them. What no dropout has touched is computed once for all samples.
void Network::predict_monte_carlo(ConstMatrix x, std::size_t samples, std::uint64_t first_sample,
                                  std::uint64_t first_row, Matrix mean, Matrix variance) {
  const std::size_t first = first_dropped();
  // Without dropout one sample tells what they all are.
  if (first == last()) samples = 1;
  for (std::size_t begin = 0; begin < x.rows; begin += config.max_batch) {
    const std::size_t m = std::min(config.max_batch, x.rows - begin);
    ConstMatrix base = hidden_few({x.row(begin), m, x.cols, x.ld}, first);
    if (first > 0 && first < last()) {
      const Matrix product{samples_.shared.get(), m, layers[first].width};
      linear_small(table_, base, weights(first), {}, false, product, team());
      base = product;
    }
    for (std::size_t done = 0; done < samples;) {
      const SamplePass pass{first_sample + done, std::min(samples - done, config.max_batch / m),
                            first_row + begin, m};
      if (first == last()) {
        output_few(base, {samples_.out.get(), m, layers[last()].width});
      } else {
        sample_outputs(first, pass, base);
      }
      add_samples(done, pass);
      done += pass.samples;
    }
    write_moments(samples, {mean.row(begin), m, mean.cols, mean.ld},
                  {variance.row(begin), m, variance.cols, variance.ld});
  }
}

}  // namespace simdrop::detail
