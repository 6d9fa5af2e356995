// After the first call of each kind the MLP allocates nothing. This program replaces the global
// operator new, so it stands alone. (OpenMP's runtime calls malloc for its own threads.)
#include <doctest/doctest.h>

#include <atomic>
#include <cstdlib>
#include <new>
#include <vector>

#include "mlp_fixtures.h"

namespace {

std::atomic<std::size_t> allocations{0};

void* count_and_allocate(std::size_t size, std::size_t alignment) {
  ++allocations;
  const std::size_t rounded = (size + alignment - 1) / alignment * alignment;
  void* memory = std::aligned_alloc(alignment, rounded == 0 ? alignment : rounded);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

// Array and nothrow forms call these, as the standard says.
void* operator new(std::size_t size) {
  return count_and_allocate(size, __STDCPP_DEFAULT_NEW_ALIGNMENT__);
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  return count_and_allocate(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  std::free(memory);
}

namespace {

using namespace simdrop;

template <class Fn>
std::size_t allocations_in(Fn&& fn) {
  const std::size_t before = allocations;
  fn();
  return allocations - before;
}

void check_config(const MlpConfig& config, const OptimizerConfig& optimizer_config) {
  Mlp mlp(config);
  Optimizer optimizer(optimizer_config, mlp.parameter_sizes());
  const auto batch = fixture::make_batch(config, config.max_batch, 1);
  const auto part = batch.slice(0, config.max_batch / 2);
  const auto targets = batch.targets();
  const auto part_targets = part.targets();
  std::vector<float> out(batch.rows * batch.outputs);
  std::vector<float> spread(out.size());
  const Matrix predictions{out.data(), batch.rows, batch.outputs};
  const Matrix few{out.data(), part.rows, batch.outputs};
  const auto work = [&] {
    mlp.train_step(batch.inputs(), targets, optimizer);
    mlp.forward(part.inputs(), 1);
    mlp.backward(part_targets);
    mlp.predict(batch.inputs(), predictions);
    mlp.predict(part.inputs(), few);
    mlp.predict_monte_carlo(batch.inputs(), 3, predictions,
                            {spread.data(), batch.rows, batch.outputs});
    mlp.predict_monte_carlo(part.inputs(), 7, few, {spread.data(), part.rows, batch.outputs});
    mlp.forward(batch.inputs(), 2);
    mlp.backward(targets);
  };
  work();
  CHECK(allocations_in(work) == 0);
  CHECK(allocations_in(work) == 0);
}

}  // namespace

TEST_CASE("allocations: the counter counts") {
  CHECK(allocations_in([] { std::vector<float> v(10); }) == 1);
  struct alignas(64) Line {
    float values[16];
  };
  CHECK(allocations_in([] { std::vector<Line> v(10); }) == 1);
}

TEST_CASE("allocations: none after the first step, on one thread and on two") {
  const OptimizerConfig optimizers[] = {
      {}, {.momentum = 0.9, .nesterov = true}, {.kind = OptimizerKind::adamw}};
  for (const int threads : {1, 2}) {
    for (const Loss loss : fixture::all_losses) {
      for (const bool record : {false, true}) {
        for (const OptimizerConfig& optimizer : optimizers) {
          auto config = fixture::make_config({70, 300, 129, 10}, loss, {0.8, 0.5, 1.0}, 80);
          config.num_threads = threads;
          config.record = record;
          check_config(config, optimizer);
        }
      }
    }
  }
}
