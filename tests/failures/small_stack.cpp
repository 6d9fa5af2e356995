// How much of its thread's stack a call needs.
#include <doctest/doctest.h>

#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <string>

#include "helpers/c_api_network.h"
#include "helpers/mlp_fixtures.h"
#include "helpers/pools.h"
#include "helpers/temporary_directory.h"
#include "simdrop/simdrop.hpp"

namespace {

using namespace simdrop;

// What the documentation promises that a call needs at most.
constexpr std::size_t promised = std::size_t{32} << 10;
// What the threads have here.
constexpr std::size_t size = std::size_t{64} << 10;

constexpr std::uint8_t paint = 0xa5;

// Runs fn on a thread with a page below its stack that must not be touched; returns how many bytes
// of the stack were used.
std::size_t stack_used(const std::function<void()>& fn) {
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  void* memory =
      mmap(nullptr, page + size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  REQUIRE(memory != MAP_FAILED);
  REQUIRE(mprotect(memory, page, PROT_NONE) == 0);
  auto* const stack = static_cast<std::uint8_t*>(memory) + page;
  std::fill(stack, stack + size, paint);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  REQUIRE(pthread_attr_setstack(&attributes, stack, size) == 0);
  pthread_t thread{};
  const auto run = [](void* context) -> void* {
    (*static_cast<const std::function<void()>*>(context))();
    return nullptr;
  };
  void* const context = const_cast<void*>(static_cast<const void*>(&fn));
  REQUIRE(pthread_create(&thread, &attributes, run, context) == 0);
  REQUIRE(pthread_join(thread, nullptr) == 0);
  pthread_attr_destroy(&attributes);
  const auto* const touched =
      std::find_if(stack, stack + size, [](std::uint8_t byte) { return byte != paint; });
  const auto used = static_cast<std::size_t>(stack + size - touched);
  munmap(memory, page + size);
  return used;
}

std::size_t most = 0;

void check_stack(const char* name, const std::function<void()>& fn) {
  static const std::size_t empty = stack_used([] {});
  const std::size_t used = stack_used(fn) - empty;
  most = std::max(most, used);
  std::printf("%-24s %6zu bytes\n", name, used);
#ifdef __OPTIMIZE__
  CHECK_MESSAGE(used <= promised, name, " used ", used);
#endif
}

template <class T>
void check_arrays(const std::string& type) {
  constexpr std::size_t rows = 70, cols = 1000;
  std::vector<T> x(rows * cols), y(rows * cols), b(cols);
  std::vector<std::uint8_t> mask(mask_bytes(rows * cols));
  const MatrixView<const T> in(x.data(), rows, cols);
  const MatrixView<T> out(y.data(), rows, cols);
  const Dropout dropout{.keep_prob = 0.7, .first = 3};
  check_stack((type + " dropout").c_str(), [&] { dropout_forward(dropout, in, out, mask); });
  check_stack((type + " backward").c_str(), [&] { dropout_backward(0.7, mask, in, out); });
  check_stack((type + " residual").c_str(),
              [&] { residual_dropout_forward(dropout, in, in, out, mask); });
  check_stack((type + " bias_relu").c_str(),
              [&] { bias_relu_dropout_forward(dropout, in, std::span<const T>(b), out, mask); });
  check_stack((type + " relu_backward").c_str(), [&] { relu_dropout_backward(0.7, in, in, out); });
}

template <class T>
void check_linear(const std::string& type) {
  constexpr std::size_t batch = 70, ins = 130, outs = 257;
  std::vector<T> x(batch * ins), w(outs * ins), b(outs), y(batch * outs);
  const MatrixView<const T> in(x.data(), batch, ins), weights(w.data(), outs, ins);
  const MatrixView<T> out(y.data(), batch, outs);
  LinearWorkspace workspace;
  check_stack((type + " linear_forward").c_str(), [&] {
    linear_forward(in, weights, std::span<const T>(b), Activation::relu, {.keep_prob = 0.7}, out,
                   workspace);
  });
  check_stack((type + " linear_input").c_str(), [&] {
    linear_backward_input(MatrixView<const T>(out), weights, {}, 1.0,
                          MatrixView<T>(x.data(), batch, ins), workspace);
  });
  check_stack((type + " linear_weights").c_str(), [&] {
    linear_backward_weights(MatrixView<const T>(out), in, 0.5, false,
                            MatrixView<T>(w.data(), outs, ins), std::span<T>(b), workspace);
  });
}

void check_network(MlpConfig config, const std::string& name) {
  Mlp mlp(config);
  Optimizer adam({.kind = OptimizerKind::adam, .max_norm = 1.0}, mlp);
  Predictor predictor(mlp, config.max_batch);
  const auto batch = fixture::make_batch(config, config.max_batch, 1);
  std::vector<float> mean(batch.rows * batch.outputs), variance(mean.size());
  const Matrix out{mean.data(), batch.rows, batch.outputs};
  const auto check = [&](const char* what, const std::function<void()>& fn) {
    check_stack((name + " " + what).c_str(), fn);
  };
  check("Mlp", [&] { const Mlp other(config); });
  check("clone", [&] { (void)mlp.clone(); });
  check("forward", [&] { mlp.forward(batch.inputs(), 1); });
  check("backward", [&] { mlp.backward(batch.targets()); });
  check("train_step", [&] { mlp.train_step(batch.inputs(), batch.targets(), adam); });
  check("predict", [&] { mlp.predict(batch.inputs(), out); });
  check("predict 1", [&] {
    mlp.predict({batch.x.data(), 1, batch.features}, {mean.data(), 1, batch.outputs});
  });
  check("monte carlo", [&] {
    predictor.predict_monte_carlo(batch.inputs(), 3, out, {variance.data(), out.rows, out.cols});
  });
}

}  // namespace

TEST_CASE("failures: no call needs more stack than is documented") {
  std::vector<std::uint8_t> mask(10'000);
  std::vector<std::uint32_t> words(10'000);
  check_stack("bernoulli_mask", [&] { bernoulli_mask({.keep_prob = 0.7}, 80'000, mask); });
  check_stack("bernoulli_mask words",
              [&] { bernoulli_mask({.keep_prob = 0.7, .rule = MaskRule::words}, 80'000, mask); });
  check_stack("philox_fill", [&] { philox_fill({1, 2}, 3, words); });
  check_arrays<float>("float");
  check_arrays<double>("double");
  check_arrays<bfloat16>("bfloat16");
  check_arrays<float16>("float16");
  check_linear<float>("float");
  check_linear<double>("double");
  for (const Loss loss : fixture::all_losses) {
    auto config = fixture::make_config({60, 213, 129, 10}, loss, {0.8, 0.5, 0.7}, 65);
    const std::string name = std::to_string(static_cast<int>(loss));
    check_network(config, name);
    config.num_threads = 2;
    check_network(config, name + " two");
    config.dropout_unit = DropoutUnit::neuron;
    check_network(config, name + " neuron");
    test::SerialExecutor executor(1024);
    config.executor = &executor;
    config.num_threads = 0;
    check_network(config, name + " executor");
  }
  std::printf("most: %zu bytes\n", most);
}

TEST_CASE("failures: files and errors need no more stack than is documented") {
  const test::TemporaryDirectory dir;
  const std::string path = dir.name("f");
  const auto config = fixture::make_config({60, 213, 10}, Loss::softmax_ce, {0.8, 0.5}, 8);
  const Mlp mlp(config);
  const Optimizer adam({.kind = OptimizerKind::adam}, mlp);
  check_stack("save", [&] { save_checkpoint(path, mlp, &adam, {{"key", "value"}}); });
  check_stack("load", [&] { (void)load_checkpoint(path, config); });
  const std::string broken = dir.write("broken", std::string(5, 'x'));
  simdrop_mlp* loaded = nullptr;
  simdrop_mlp_config given = c_api::make_config();
  check_stack("an error",
              [&] { (void)simdrop_mlp_load(broken.c_str(), &given, &loaded, nullptr, nullptr); });
  CHECK(loaded == nullptr);
  check_stack("cpu_name", [] { (void)cpu_name(); });
}
