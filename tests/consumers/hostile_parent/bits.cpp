// Prints what must be the same whatever a program and a library are compiled with: probabilities
// that fast arithmetic got wrong, and hashes of the bits of masks, kernels and a network. It uses
// the C interface, as C++ before C++20 and without exceptions can.
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <vector>

#include "simdrop/simdrop.h"

namespace {

int failures = 0;

void ok(simdrop_status status) {
  if (status != SIMDROP_OK) {
    ++failures;
    std::printf("a call failed: %s\n", simdrop_status_message(status));
  }
}

// FNV-1a, of 64 bits.
std::uint64_t hash(const void* data, std::size_t bytes) {
  const unsigned char* p = static_cast<const unsigned char*>(data);
  std::uint64_t h = 14695981039346656037U;
  for (std::size_t i = 0; i < bytes; ++i) h = (h ^ p[i]) * 1099511628211U;
  return h;
}

void print_hash(const char* name, const void* data, std::size_t bytes) {
  std::printf("%s %016llx\n", name, static_cast<unsigned long long>(hash(data, bytes)));
}

simdrop_tensor tensor(simdrop_mlp* mlp, simdrop_tensor_kind kind, std::int64_t layer) {
  simdrop_tensor t;
  std::memset(&t, 0, sizeof t);
  t.struct_size = sizeof t;
  ok(simdrop_mlp_tensor(mlp, kind, layer, &t, nullptr));
  return t;
}

// A network without weights whose biases are the logits.
void probabilities(const char* name, simdrop_loss loss, const std::vector<float>& logits) {
  const std::int64_t outputs = static_cast<std::int64_t>(logits.size());
  const std::int64_t widths[2] = {1, outputs};
  simdrop_mlp_config config;
  ok(simdrop_mlp_config_init(&config, sizeof config, nullptr));
  config.widths = widths;
  config.num_widths = 2;
  config.loss = loss;
  simdrop_mlp* mlp = nullptr;
  ok(simdrop_mlp_create(&config, &mlp, nullptr));
  const simdrop_tensor bias = tensor(mlp, SIMDROP_TENSOR_BIAS, 1);
  std::memcpy(bias.data, logits.data(), logits.size() * sizeof(float));
  const float x = 0;
  std::vector<float> p(logits.size());
  ok(simdrop_mlp_predict(mlp, 1, &x, 1, p.data(), outputs, nullptr, nullptr));
  simdrop_mlp_destroy(mlp);
  std::printf("%s", name);
  for (const float each : p) std::printf(" %.4f", static_cast<double>(each));
  std::printf("\n");
}

// Values with all the bits of a float, which products and sums round.
std::vector<float> values(std::size_t n) {
  std::vector<std::uint32_t> words(n);
  ok(simdrop_philox_fill(3, 1, 0, words.data(), static_cast<std::int64_t>(n), 10, nullptr,
                         nullptr));
  std::vector<float> x(n);
  for (std::size_t i = 0; i < n; ++i) {
    x[i] = static_cast<float>(static_cast<std::int32_t>(words[i])) / 2147483648.0F;
  }
  return x;
}

void masks_and_kernels() {
  const std::vector<float> x = values(5000);
  const std::int64_t n = 5000;
  std::vector<float> y(x.size());
  std::vector<std::uint8_t> mask(625);
  for (const double keep_prob : {0.1, 0.7, 0.9}) {
    simdrop_dropout dropout;
    ok(simdrop_dropout_init(&dropout, sizeof dropout, nullptr));
    dropout.keep_prob = keep_prob;
    ok(simdrop_bernoulli_mask(&dropout, n, mask.data(), nullptr, nullptr));
    print_hash("mask", mask.data(), mask.size());
    // A product and a sum: one rounding in place of two would show.
    ok(simdrop_residual_dropout_forward(&dropout, SIMDROP_F32, 1, n, x.data(), n, x.data(), n,
                                        y.data(), n, nullptr, nullptr, nullptr));
    print_hash("residual", y.data(), y.size() * sizeof(float));
    ok(simdrop_bias_relu_dropout_forward(&dropout, SIMDROP_F32, 1, n, x.data(), n, x.data(),
                                         y.data(), n, nullptr, nullptr, nullptr));
    print_hash("bias, relu", y.data(), y.size() * sizeof(float));
  }
}

void network() {
  const std::int64_t widths[4] = {7, 40, 24, 5};
  const double keep_prob[2] = {0.7, 0.5};
  simdrop_mlp_config config;
  ok(simdrop_mlp_config_init(&config, sizeof config, nullptr));
  config.widths = widths;
  config.num_widths = 4;
  config.keep_prob = keep_prob;
  config.num_keep_prob = 2;
  config.max_batch = 64;
  simdrop_mlp* mlp = nullptr;
  ok(simdrop_mlp_create(&config, &mlp, nullptr));
  simdrop_optimizer_config adam;
  ok(simdrop_optimizer_config_init(&adam, sizeof adam, nullptr));
  adam.kind = SIMDROP_ADAM;
  adam.learning_rate = 0.01;
  simdrop_optimizer* optimizer = nullptr;
  ok(simdrop_optimizer_create(&adam, mlp, &optimizer, nullptr));

  const std::vector<float> x = values(64 * 7);
  std::vector<std::uint8_t> labels(64);
  for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<std::uint8_t>(i % 5);
  simdrop_targets targets = {sizeof(simdrop_targets), labels.data(), nullptr, 0};
  double losses[20] = {};
  for (double& loss : losses) {
    ok(simdrop_mlp_train_step(mlp, 64, x.data(), 7, &targets, optimizer, 0, &loss, nullptr,
                              nullptr));
  }
  print_hash("losses", losses, sizeof losses);
  for (std::int64_t layer = 1; layer <= 3; ++layer) {
    const simdrop_tensor bias = tensor(mlp, SIMDROP_TENSOR_BIAS, layer);
    print_hash("biases", bias.data, static_cast<std::size_t>(bias.cols) * sizeof(float));
  }
  std::vector<float> mean(64 * 5);
  std::vector<float> variance(64 * 5);
  ok(simdrop_mlp_predict_monte_carlo(mlp, 64, x.data(), 7, 8, 0, 0, mean.data(), 5, variance.data(),
                                     5, nullptr, nullptr));
  print_hash("means", mean.data(), mean.size() * sizeof(float));
  print_hash("variances", variance.data(), variance.size() * sizeof(float));
  simdrop_optimizer_destroy(optimizer);
  simdrop_mlp_destroy(mlp);
}

}  // namespace

int main() {
  probabilities("softmax", SIMDROP_LOSS_SOFTMAX_CE, {0.0F, -0.3F, -0.7F, -1.5F, -3.0F});
  probabilities("sigmoid", SIMDROP_LOSS_SIGMOID_BCE, {-3.0F});
  masks_and_kernels();
  network();
  return failures == 0 ? 0 : 1;
}
