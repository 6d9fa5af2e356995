// Inference on many samples of dropout.
#include <algorithm>

#include "linear/few_rows.h"
#include "mask/mask_source.h"
#include "mlp/inference.h"
#include "mlp/stream_id.h"
#include "simdrop/mask.hpp"

namespace simdrop::detail {

// The first layer that drops anything, or model_.last().
std::size_t Inference::first_dropped() const {
  std::size_t l = 0;
  while (l < model_.last() && model_.keep_prob(l) == 1.0) ++l;
  return l;
}

// Row s * rows + r of y: row r of sample s, after the dropout of layer l (and its bias and ReLU, if
// it is not the input). in: those rows before, or the `rows` that all samples share.
// Ends with a barrier.
void Inference::drop_samples(const TeamMember& member, std::size_t l, const Samples& pass,
                             std::size_t rows, ConstMatrix in, Matrix y) const {
  MaskSource source =
      make_mask_source({.keep_prob = model_.keep_prob(l), .stream = {model_.config().seed, 0}});
  const float scale = dropout_scale(model_.keep_prob(l));
  const Range mine = share_of(member, y.rows, 1, elements_per_thread / y.cols);
  for (std::size_t i = mine.begin, count = 0; i < mine.end; i += count) {
    const std::size_t r = i % rows;
    count = std::min(mine.end - i, rows - r);
    source.stream = stream_id(StreamDomain::sample, l, pass.first + i / rows);
    source.first = (pass.first_row + r) * y.cols;
    const Shape2D shape{count, y.cols, in.ld, y.ld};
    const float* from = in.row(in.rows == rows ? r : i);
    if (l == 0) {
      model_.table().f32.dropout(source, scale, shape, from, y.row(i), nullptr);
    } else {
      model_.table().f32.bias_relu_dropout(source, scale, shape, from, model_.bias(l).data(),
                                           y.row(i), nullptr);
    }
  }
  member.barrier();
}

// Outputs of every sample of a pass. `base` is what they share: the input, if that is the first
// that drops, or else the product of layer `first` before its bias.
void Inference::sample_outputs(const TeamMember& member, std::size_t first, const Samples& pass,
                               std::size_t rows, ConstMatrix base) const {
  const std::size_t all = pass.count * rows;
  const auto stacked = [&](std::size_t l) {
    return Matrix{l == 0 ? samples_.input.get() : hidden_[l % 2].get(), all, model_.width(l)};
  };
  Matrix in = stacked(first);
  drop_samples(member, first, pass, rows, base, in);
  for (std::size_t l = first + 1; l < model_.last(); ++l) {
    const Matrix y = stacked(l);
    const bool drops = model_.keep_prob(l) != 1.0;
    linear_few_rows(model_.table(), member, in, model_.weights(l),
                    drops ? std::span<float>() : model_.bias(l), !drops, y);
    member.barrier();
    if (drops) drop_samples(member, l, pass, rows, y, y);
    in = y;
  }
  output_few(member, in, {samples_.out.get(), all, model_.width(model_.last())});
}

// Welford's update, sample by sample; `done` of them came before.
// Source: Welford, "Note on a method for calculating corrected sums of squares and products",
// Technometrics 4 (1962).
void Inference::add_samples(const TeamMember& member, std::size_t done, const Samples& pass,
                            std::size_t rows) const {
  const std::size_t n = rows * model_.width(model_.last());
  const Range mine = share_of(member, n, 1, outputs_per_thread);
  double* mean = samples_.mean.get();
  double* squares = samples_.squares.get();
  if (done == 0) {
    std::fill(mean + mine.begin, mean + mine.end, 0.0);
    std::fill(squares + mine.begin, squares + mine.end, 0.0);
  }
  for (std::size_t s = 0; s < pass.count; ++s) {
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
void Inference::monte_carlo_chunk(const TeamMember& member, ConstMatrix x,
                                  const Samples& samples) const {
  const std::size_t first = first_dropped();
  const std::size_t m = x.rows;
  ConstMatrix base = hidden_few(member, x, first);
  if (first > 0 && first < model_.last()) {
    const Matrix product{samples_.shared.get(), m, model_.width(first)};
    linear_few_rows(model_.table(), member, base, model_.weights(first), {}, false, product);
    member.barrier();
    base = product;
  }
  for (std::size_t done = 0; done < samples.count;) {
    const Samples pass{std::min(samples.count - done, max_batch_ / m), samples.first + done,
                       samples.first_row};
    if (first == model_.last()) {
      output_few(member, base, {samples_.out.get(), m, model_.width(model_.last())});
    } else {
      sample_outputs(member, first, pass, m, base);
    }
    member.barrier();
    add_samples(member, done, pass, m);
    member.barrier();
    done += pass.count;
  }
}

void Inference::predict_monte_carlo(ConstMatrix x, const Samples& samples, Matrix mean,
                                    Matrix variance, const Threads& threads) const {
  // Without dropout one sample tells what they all are.
  const std::size_t count = first_dropped() == model_.last() ? 1 : samples.count;
  for (std::size_t begin = 0; begin < x.rows; begin += max_batch_) {
    const std::size_t m = std::min(max_batch_, x.rows - begin);
    const ConstMatrix rows{x.row(begin), m, x.cols, x.ld};
    const Samples of_rows{count, samples.first, samples.first_row + begin};
    const std::size_t stacked = count < max_batch_ / m ? m * count : max_batch_;
    parallel_team(model_.team_for(threads, stacked, 1.0),
                  [&](const TeamMember& member) { monte_carlo_chunk(member, rows, of_rows); });
    write_moments(count, {mean.row(begin), m, mean.cols, mean.ld},
                  {variance.row(begin), m, variance.cols, variance.ld});
  }
}

}  // namespace simdrop::detail
