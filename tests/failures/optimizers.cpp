// Optimizers, which may be copied and assigned to.
#include <memory>
#include <optional>

#include "failures/trial.h"
#include "simdrop/optimizer.hpp"

namespace failures {
namespace {

using namespace simdrop;

constexpr OptimizerConfig adam{.kind = OptimizerKind::adam, .learning_rate = 0.25, .max_norm = 2.0};

// One that has made a step, with weights to be updated.
struct Trained {
  std::vector<float> weights = std::vector<float>(60, 1.0F), gradient = std::vector<float>(60);
  Optimizer optimizer{{.momentum = 0.5}, {20, 60}};
  std::optional<Optimizer> other;
  Optimizer source{adam, {10, 60, 7}};
  Message message;

  Trained() {
    for (std::size_t i = 0; i < gradient.size(); ++i) gradient[i] = static_cast<float>(i) - 20.0F;
    step(optimizer);
    step(source);
  }
  void step(Optimizer& which) {
    which.begin_step();
    which.update(1, weights, gradient);
  }
};

// What it is, and what a step with it does.
Bytes look(Trained& t) {
  Bytes all;
  append(all, t.weights);
  append(all, std::string(t.message.text));
  for (Optimizer* o : {&t.optimizer, t.other ? &*t.other : nullptr}) {
    if (o == nullptr) continue;
    append(all, o->sizes());
    const OptimizerConfig& c = o->config();
    append(all, std::vector{c.learning_rate, c.momentum, c.weight_decay, c.beta1, c.max_norm});
    append(all, std::vector{c.kind});
    append(all, std::vector{o->step_count()});
    t.step(*o);
    append(all, t.weights);
  }
  return all;
}

template <class Call>
void add(Trials& trials, const std::string& function, const std::string& what, Call call) {
  trials.push_back({"simdrop::Optimizer::" + function, what, [call] {
                      return every_allocation_fails(
                          [] { return std::make_unique<Trained>(); },
                          [&](Trained& t) { keep_error(t.message, [&] { call(t); }); }, look);
                    }});
}

}  // namespace

Trials optimizer_trials() {
  Trials trials;
  add(trials, "Optimizer", "of sizes", [](Trained& t) {
    t.other.emplace(adam, std::vector<std::size_t>{20, 60});
  });
  add(trials, "Optimizer", "a copy", [](Trained& t) { t.other = t.source; });
  add(trials, "Optimizer", "an error", [](Trained& t) {
    t.other.emplace(OptimizerConfig{.momentum = 1.5}, std::vector<std::size_t>{20, 60});
  });
  add(trials, "operator=", "a copy over another", [](Trained& t) { t.optimizer = t.source; });
  add(trials, "set_learning_rate", "an error",
      [](Trained& t) { t.optimizer.set_learning_rate(-1.0 / 3.0); });
  add(trials, "update", "an error",
      [](Trained& t) { t.optimizer.update(0, t.weights, t.gradient); });
  add(trials, "update", "another error",
      [](Trained& t) { t.optimizer.update(9, t.weights, t.gradient); });
  return trials;
}

}  // namespace failures
