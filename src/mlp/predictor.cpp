#include "simdrop/predictor.hpp"

#include "base/check.h"
#include "base/float_environment.h"
#include "mlp/call_check.h"
#include "mlp/mlp_state.h"
#include "threading/parallel.h"

namespace simdrop {
namespace {

using detail::Model;
using detail::Samples;

std::size_t checked_rows(std::size_t max_batch) {
  detail::check_argument(max_batch >= 1, "max_batch", max_batch, ">= 1");
  return max_batch;
}

const Threads& checked_threads(const Threads& threads) {
  detail::check_threads(threads);
  return threads;
}

}  // namespace

struct Predictor::State {
  State(const Model& model_, const detail::OwnMemory& own_, std::size_t max_batch,
        const Threads& threads_)
      : model(model_),
        own(own_),
        threads(checked_threads(threads_)),
        memory(model_.table(), model_.config().widths, checked_rows(max_batch),
               detail::Passes::forward, threads_),
        inference(model_, max_batch, memory) {}

  const Model& model;
  const detail::OwnMemory& own;  // the network's
  Threads threads;
  detail::PassMemory memory;
  detail::Inference inference;
};

Predictor::Predictor(const Mlp& mlp, std::size_t max_batch, Threads threads)
    : state_(std::make_unique<State>(mlp.state_->model, mlp.state_->training.own_memory(),
                                     max_batch, threads)) {}
Predictor::~Predictor() = default;
Predictor::Predictor(Predictor&&) noexcept = default;
Predictor& Predictor::operator=(Predictor&&) noexcept = default;

void Predictor::predict(ConstMatrix x, Matrix out, std::optional<Threads> threads) {
  const detail::DefaultFloats floats;
  State& state = *state_;
  detail::check_predict(state.model.config(), state.own, x, out);
  state.inference.predict(x, out, state.memory.reserve(threads, state.threads));
}

void Predictor::predict_monte_carlo(ConstMatrix x, std::size_t samples, Matrix mean,
                                    Matrix variance, std::uint64_t first_sample,
                                    std::uint64_t first_row, std::optional<Threads> threads) {
  const detail::DefaultFloats floats;
  State& state = *state_;
  const Samples wanted{samples, first_sample, first_row};
  detail::check_monte_carlo(state.model.config(), state.own, x, wanted, mean, variance);
  state.inference.predict_monte_carlo(x, wanted, mean, variance,
                                      state.memory.reserve(threads, state.threads));
}

}  // namespace simdrop
