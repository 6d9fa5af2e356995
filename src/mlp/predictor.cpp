// Predictions, by an Mlp and by those who share one.
#include "simdrop/predictor.hpp"

#include "base/check.h"
#include "base/matrix_check.h"
#include "mlp/config.h"
#include "mlp/mlp_state.h"
#include "mlp/stream_id.h"
#include "threading/parallel.h"

namespace simdrop {
namespace {

using detail::check_argument;
using detail::Inference;
using detail::Network;
using detail::PassMemory;

// The samples of a call of predict_monte_carlo().
struct Samples {
  std::size_t count;
  std::uint64_t first, first_row;
};

// The threads of a call, whose memory is reserved before anything is written.
Threads reserve(PassMemory& memory, const Threads& own, const std::optional<Threads>& threads) {
  if (threads.has_value()) detail::check_threads(*threads);
  return memory.reserve(threads.value_or(own));
}

void check_input(ConstMatrix x, const MlpConfig& config) {
  detail::check_cols(x, "x", config.widths.front(), "number of inputs");
  detail::check_memory(x, "x");
}

// What predictions of x are written to.
void check_output(Matrix out, const char* name, ConstMatrix x, const MlpConfig& config) {
  detail::check_shape(out, name, x.rows, config.widths.back(), "x.rows x number of outputs");
  detail::check_memory(out, name);
  detail::check_no_overlap(out, name, x, "x");
}

void check_predict(const MlpConfig& config, ConstMatrix x, Matrix out) {
  check_input(x, config);
  check_output(out, "out", x, config);
}

void check_monte_carlo(const MlpConfig& config, ConstMatrix x, const Samples& samples, Matrix mean,
                       Matrix variance) {
  check_input(x, config);
  check_argument(samples.count >= 1 && samples.count <= detail::max_steps, "samples", samples.count,
                 "1 ... 2^40");
  check_argument(samples.first <= detail::max_steps - samples.count, "first_sample", samples.first,
                 "at most 2^40 - samples");
  check_output(mean, "mean", x, config);
  check_output(variance, "variance", x, config);
  detail::check_no_overlap(variance, "variance", mean, "mean");
}

std::size_t checked_rows(std::size_t max_batch) {
  check_argument(max_batch >= 1, "max_batch", max_batch, ">= 1");
  return max_batch;
}

const Threads& checked_threads(const Threads& threads) {
  detail::check_threads(threads);
  return threads;
}

}  // namespace

void Mlp::predict(ConstMatrix x, Matrix out, std::optional<Threads> threads) {
  State& state = *state_;
  check_predict(config(), x, out);
  state.inference.predict(x, out,
                          reserve(state.network.memory, detail::own_threads(config()), threads));
}

void Mlp::predict_monte_carlo(ConstMatrix x, std::size_t samples, Matrix mean, Matrix variance,
                              std::uint64_t first_sample, std::uint64_t first_row,
                              std::optional<Threads> threads) {
  State& state = *state_;
  check_monte_carlo(config(), x, {samples, first_sample, first_row}, mean, variance);
  const Threads team = reserve(state.network.memory, detail::own_threads(config()), threads);
  state.inference.predict_monte_carlo(x, samples, first_sample, first_row, mean, variance, team);
}

struct Predictor::State {
  State(const Network& network_, std::size_t max_batch, const Threads& threads_)
      : network(network_),
        threads(checked_threads(threads_)),
        memory(network_.table(), network_.config.widths, checked_rows(max_batch),
               detail::Passes::forward, threads_),
        inference(network_, max_batch, memory) {}

  const Network& network;
  Threads threads;
  PassMemory memory;
  Inference inference;
};

Predictor::Predictor(const Mlp& mlp, std::size_t max_batch, Threads threads)
    : state_(std::make_unique<State>(mlp.state_->network, max_batch, threads)) {}
Predictor::~Predictor() = default;
Predictor::Predictor(Predictor&&) noexcept = default;
Predictor& Predictor::operator=(Predictor&&) noexcept = default;

void Predictor::predict(ConstMatrix x, Matrix out, std::optional<Threads> threads) {
  State& state = *state_;
  check_predict(state.network.config, x, out);
  state.inference.predict(x, out, reserve(state.memory, state.threads, threads));
}

void Predictor::predict_monte_carlo(ConstMatrix x, std::size_t samples, Matrix mean,
                                    Matrix variance, std::uint64_t first_sample,
                                    std::uint64_t first_row, std::optional<Threads> threads) {
  State& state = *state_;
  check_monte_carlo(state.network.config, x, {samples, first_sample, first_row}, mean, variance);
  const Threads team = reserve(state.memory, state.threads, threads);
  state.inference.predict_monte_carlo(x, samples, first_sample, first_row, mean, variance, team);
}

}  // namespace simdrop
