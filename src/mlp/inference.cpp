// Inference on few rows and on many.
#include "mlp/inference.h"

#include <algorithm>

#include "dispatch/dispatch.h"
#include "linear/few_rows.h"

namespace simdrop::detail {
namespace {

// Up to here reading the weights where they lie is faster than packing the rows that they meet.
constexpr std::size_t max_few_rows = 32;
// For one row the time goes into reading the weights, which takes as long as so many products.
constexpr double few_rows_cost = 8.0;

}  // namespace

Inference::Inference(const Model& model, std::size_t max_batch, PassMemory& memory)
    : model_(model), max_batch_(max_batch), memory_(memory) {
  std::size_t widest = 0;
  for (std::size_t l = 1; l < model.last(); ++l) {
    widest = std::max(widest, model.width(l));
  }
  const std::size_t hidden = checked_product(max_batch, widest);
  for (auto& buffer : hidden_) buffer = make_buffer<float>(hidden);
  const std::size_t outputs = checked_product(max_batch, model.width(model.last()));
  samples_ = {make_buffer<float>(checked_product(max_batch, model.width(0))),
              make_buffer<float>(hidden), make_buffer<float>(outputs), make_buffer<double>(outputs),
              make_buffer<double>(outputs)};
}

void Inference::finish(const TeamMember& member, Matrix out) const {
  model_.finish_outputs(
      member, {out.rows, out.cols, out.ld, nullptr, out.data, out.data, nullptr, nullptr}, nullptr);
}

// A of layer `end` - 1 (of x for layer 0) without dropout; x.rows <= max_batch. Ends with a
// barrier.
ConstMatrix Inference::hidden_few(const TeamMember& member, ConstMatrix x, std::size_t end) const {
  for (std::size_t l = 1; l < end; ++l) {
    const Matrix y{hidden_[l % 2].get(), x.rows, model_.width(l)};
    linear_few_rows(model_.table(), member, x, model_.weights(l), model_.bias(l), true, y);
    member.barrier();
    x = y;
  }
  return x;
}

void Inference::output_few(const TeamMember& member, ConstMatrix x, Matrix out) const {
  linear_few_rows(model_.table(), member, x, model_.weights(model_.last()),
                  model_.bias(model_.last()), false, out);
  member.barrier();
  finish(member, out);
}

void Inference::predict_few(const TeamMember& member, ConstMatrix x, Matrix out) const {
  for (std::size_t begin = 0; begin < x.rows; begin += max_batch_) {
    const std::size_t rows = std::min(max_batch_, x.rows - begin);
    const ConstMatrix in = hidden_few(member, {x.row(begin), rows, x.cols, x.ld}, model_.last());
    output_few(member, in, {out.row(begin), rows, out.cols, out.ld});
  }
}

void Inference::predict_chunk(const TeamMember& member, ConstMatrix x, Matrix out) const {
  ConstMatrix in = x;
  for (std::size_t l = 1; l <= model_.last(); ++l) {
    const Matrix y =
        l < model_.last() ? Matrix(hidden_[l % 2].get(), x.rows, model_.width(l)) : out;
    const ForwardProduct<float> product = model_.product(l, in, y);
    pack(model_.table(), member, product, memory_.of_layer(l));
    member.barrier();
    multiply(model_.table(), member, product, memory_.of_layer(l));
    member.barrier();
    in = y;
  }
  finish(member, out);
}

void Inference::predict(ConstMatrix x, Matrix out, const Threads& threads) const {
  const std::size_t chunk = std::min(x.rows, max_batch_);
  const bool few = chunk <= max_few_rows;  // one way for all rows of a call
  const Threads team = model_.team_for(threads, chunk, few ? few_rows_cost : 1.0);
  parallel_team(team, [&](const TeamMember& member) {
    if (few) {
      predict_few(member, x, out);
      return;
    }
    for (std::size_t begin = 0; begin < x.rows; begin += max_batch_) {
      const std::size_t rows = std::min(max_batch_, x.rows - begin);
      predict_chunk(member, {x.row(begin), rows, x.cols, x.ld},
                    {out.row(begin), rows, out.cols, out.ld});
    }
  });
}

}  // namespace simdrop::detail
