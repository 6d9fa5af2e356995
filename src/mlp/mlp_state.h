// What an Mlp holds. Data flows down: the model, a pass of training over it, predictions of it.
#pragma once

#include <optional>
#include <utility>

#include "mlp/config.h"
#include "mlp/inference.h"
#include "mlp/model.h"
#include "mlp/pass_memory.h"
#include "mlp/training_pass.h"
#include "simdrop/mlp.hpp"

namespace simdrop {

struct Mlp::State {
  explicit State(const MlpConfig& config) : State(config, detail::Model(config)) {}
  // With the parameters and the injected masks of `other`.
  State(const MlpConfig& config, const State& other)
      : State(config, detail::Model(config, other.model)) {
    training.copy_injected(other.training);
  }
  State(const MlpConfig& config, detail::Model&& model_)
      : model(std::move(model_)),
        memory(model.table(), config.widths, config.max_batch, detail::Passes::both,
               detail::own_threads(config)),
        training(model, memory),
        inference(model, config.max_batch, memory) {}

  // The threads of a call, whose memory is reserved before anything is written.
  Threads reserve(const std::optional<Threads>& threads) {
    return memory.reserve(threads, detail::own_threads(model.config()));
  }

  detail::Model model;
  detail::PassMemory memory;  // of training and of predictions
  detail::TrainingPass training;
  detail::Inference inference;
};

}  // namespace simdrop
