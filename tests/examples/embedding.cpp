#include <cstdio>
#include <thread>
#include <vector>

#include "simdrop/simdrop.hpp"

// Your own pool, in place of the library's; here as simple as can be.
class Pool : public simdrop::Executor {
 public:
  [[nodiscard]] int max_concurrency() const noexcept override { return 2; }
  void parallel_for(std::size_t count, Task task, void* context) override {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < count; ++i) threads.emplace_back(task, context, i);
  }
};

int main() {
  Pool pool;
  simdrop::Mlp mlp({.widths = {64, 256, 10},
                    .keep_prob = {0.5},
                    .seed = 1,
                    .num_threads = 0,  // as many as the pool has
                    .executor = &pool});
  simdrop::Optimizer sgd({.learning_rate = 0.1, .momentum = 0.9}, mlp);
  const std::vector<float> x(std::size_t{64} * 64, 0.5F);
  const std::vector<std::uint8_t> labels(64, 3);
  const simdrop::ConstMatrix inputs(x, 64, 64);
  for (int step = 0; step < 20; ++step) mlp.train_step(inputs, labels, sgd);

  // Weights, optimizer and step count: the loaded run goes on bit for bit.
  simdrop::save_checkpoint("run.safetensors", mlp, &sgd);
  simdrop::Checkpoint run = simdrop::load_checkpoint("run.safetensors", {});
  const double resumed = run.mlp.train_step(inputs, labels, *run.optimizer);
  const double went_on = mlp.train_step(inputs, labels, sgd, {.threads = 1});  // on one thread

  // One network, many threads: each has a Predictor.
  std::vector<float> out(std::size_t{64} * 10);
  simdrop::Predictor predictor(mlp, 64);
  predictor.predict(inputs, simdrop::Matrix(out, 64, 10));
  std::printf("%s, p(3) = %.2f\n", resumed == went_on ? "same" : "different", out[3]);
}
