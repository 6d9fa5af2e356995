// Inference on many samples of dropout.
#include <algorithm>

#include "linear/few_rows.h"
#include "mask/mask_source.h"
#include "mlp/inference.h"
#include "mlp/shares.h"
#include "mlp/stream_id.h"
#include "simdrop/mask.hpp"

namespace simdrop::detail {

// The first layer that drops anything, or network_.last().
std::size_t Inference::first_dropped() const {
  std::size_t l = 0;
  while (l < network_.last() && network_.keep_prob(l) == 1.0) ++l;
  return l;
}

// Row s * pass.rows + r of y: row r of sample s, after the dropout of layer l (and its bias and
// ReLU, if it is not the input). in: those rows before, or the pass.rows that all samples share.
// Ends with a barrier.
void Inference::drop_samples(const TeamMember& member, std::size_t l, const SamplePass& pass,
                             ConstMatrix in, Matrix y) const {
  MaskSource source =
      make_mask_source({.keep_prob = network_.keep_prob(l), .stream = {network_.config.seed, 0}});
  const float scale = dropout_scale(network_.keep_prob(l));
  const Range mine = share_of(member, y.rows, 1, elements_per_thread / y.cols);
  for (std::size_t i = mine.begin, count = 0; i < mine.end; i += count) {
    const std::size_t r = i % pass.rows;
    count = std::min(mine.end - i, pass.rows - r);
    source.stream = stream_id(StreamDomain::sample, l, pass.first_sample + i / pass.rows);
    source.first = (pass.first_row + r) * y.cols;
    const Shape2D shape{count, y.cols, in.ld, y.ld};
    const float* from = in.row(in.rows == pass.rows ? r : i);
    if (l == 0) {
      network_.table().f32.dropout(source, scale, shape, from, y.row(i), nullptr);
    } else {
      network_.table().f32.bias_relu_dropout(source, scale, shape, from, network_.bias(l).data(),
                                             y.row(i), nullptr);
    }
  }
  member.barrier();
}

// Outputs of every sample of a pass. `base` is what they share: the input, if that is the first
// that drops, or else the product of layer `first` before its bias.
void Inference::sample_outputs(const TeamMember& member, std::size_t first, const SamplePass& pass,
                               ConstMatrix base) const {
  const std::size_t rows = pass.samples * pass.rows;
  const auto stacked = [&](std::size_t l) {
    return Matrix{l == 0 ? samples_.input.get() : hidden_[l % 2].get(), rows,
                  network_.layers[l].width};
  };
  Matrix in = stacked(first);
  drop_samples(member, first, pass, base, in);
  for (std::size_t l = first + 1; l < network_.last(); ++l) {
    const Matrix y = stacked(l);
    const bool drops = network_.keep_prob(l) != 1.0;
    linear_few_rows(network_.table(), member, in, network_.weights(l),
                    drops ? std::span<float>() : network_.bias(l), !drops, y);
    member.barrier();
    if (drops) drop_samples(member, l, pass, y, y);
    in = y;
  }
  output_few(member, in, {samples_.out.get(), rows, network_.layers[network_.last()].width});
}

// Welford's update, sample by sample; `done` of them came before.
// Source: Welford, "Note on a method for calculating corrected sums of squares and products",
// Technometrics 4 (1962).
void Inference::add_samples(const TeamMember& member, std::size_t done,
                            const SamplePass& pass) const {
  const std::size_t n = pass.rows * network_.layers[network_.last()].width;
  const Range mine = share_of(member, n, 1, outputs_per_thread);
  double* mean = samples_.mean.get();
  double* squares = samples_.squares.get();
  if (done == 0) {
    std::fill(mean + mine.begin, mean + mine.end, 0.0);
    std::fill(squares + mine.begin, squares + mine.end, 0.0);
  }
  for (std::size_t s = 0; s < pass.samples; ++s) {
    const float* out = samples_.out.get() + s * n;
    const auto count = static_cast<double>(done + s + 1);
    for (std::size_t i = mine.begin; i < mine.end; ++i) {
      const double value = static_cast<double>(out[i]);
      const double delta = value - mean[i];
      mean[i] += delta / count;
      squares[i] += delta * (value - mean[i]);
    }
  }
}

void Inference::write_moments(std::size_t samples, Matrix mean, Matrix variance) const {
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
void Inference::monte_carlo_chunk(const TeamMember& member, const SampleChunk& chunk) const {
  const std::size_t first = first_dropped();
  const std::size_t m = chunk.x.rows;
  ConstMatrix base = hidden_few(member, chunk.x, first);
  if (first > 0 && first < network_.last()) {
    const Matrix product{samples_.shared.get(), m, network_.layers[first].width};
    linear_few_rows(network_.table(), member, base, network_.weights(first), {}, false, product);
    member.barrier();
    base = product;
  }
  for (std::size_t done = 0; done < chunk.samples;) {
    const SamplePass pass{chunk.first_sample + done, std::min(chunk.samples - done, max_batch_ / m),
                          chunk.first_row, m};
    if (first == network_.last()) {
      output_few(member, base, {samples_.out.get(), m, network_.layers[network_.last()].width});
    } else {
      sample_outputs(member, first, pass, base);
    }
    member.barrier();
    add_samples(member, done, pass);
    member.barrier();
    done += pass.samples;
  }
}

void Inference::predict_monte_carlo(ConstMatrix x, std::size_t samples, std::uint64_t first_sample,
                                    std::uint64_t first_row, Matrix mean, Matrix variance,
                                    const Threads& threads) const {
  // Without dropout one sample tells what they all are.
  if (first_dropped() == network_.last()) samples = 1;
  for (std::size_t begin = 0; begin < x.rows; begin += max_batch_) {
    const std::size_t m = std::min(max_batch_, x.rows - begin);
    const SampleChunk chunk{
        {x.row(begin), m, x.cols, x.ld}, samples, first_sample, first_row + begin};
    const std::size_t stacked = std::min(max_batch_, m * samples);
    parallel_team(network_.team_for(threads, stacked, 1.0),
                  [&](const TeamMember& member) { monte_carlo_chunk(member, chunk); });
    write_moments(samples, {mean.row(begin), m, mean.cols, mean.ld},
                  {variance.row(begin), m, variance.cols, variance.ld});
  }
}

}  // namespace simdrop::detail
