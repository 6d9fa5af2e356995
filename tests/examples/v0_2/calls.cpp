// Forms of calls that 0.2.0 took, with spans, views and braces in all places: newer overloads must
// neither catch them with another meaning nor make them ambiguous.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <span>
#include <vector>

#include "simdrop/dropout.hpp"
#include "simdrop/linear.hpp"
#include "simdrop/mlp.hpp"
#include "simdrop/optimizer.hpp"
#include "simdrop/predictor.hpp"

namespace {

using simdrop::ConstMatrix;
using simdrop::Dropout;
using simdrop::Matrix;
using simdrop::Stores;

bool all_well = true;

void check(bool ok, int line) {
  if (ok) return;
  std::printf("line %d: another result than before\n", line);
  all_well = false;
}
#define CHECK(ok) check(ok, __LINE__)

const Dropout dropout{.keep_prob = 0.5, .stream = {.seed = 1, .id = 2}};
const std::vector<float> x{1, 2, 3, 4, 5, 6, 7, 8};

// What each call wrote is the same.
struct Outputs {
  std::vector<float> y = std::vector<float>(8);
  std::vector<std::uint8_t> mask = std::vector<std::uint8_t>(1);
  bool operator==(const Outputs&) const = default;
};

Outputs expected() {
  Outputs want;
  simdrop::dropout_forward(dropout, std::span<const float>(x), std::span<float>(want.y), want.mask,
                           1, Stores::automatic);
  return want;
}

void forward_tails() {
  const Outputs want = expected();
  Outputs got;
  const std::span<const float> in(x);
  const std::span<float> out(got.y);
  const std::span<std::uint8_t> bits(got.mask);
  const auto wrote_all = [&] {
    CHECK(got == want);
    std::ranges::fill(got.y, -1.0F);
    got.mask[0] = 0;
  };
  simdrop::dropout_forward(dropout, in, out, {got.mask});
  wrote_all();
  simdrop::dropout_forward(dropout, in, out, {bits});
  wrote_all();
  simdrop::dropout_forward(dropout, in, out, {got.mask.data(), got.mask.size()});
  wrote_all();
  simdrop::dropout_forward(dropout, in, out, bits, {2});
  wrote_all();
  simdrop::dropout_forward(dropout, in, out, bits, {}, {});
  wrote_all();
  simdrop::dropout_forward(dropout, {x.data(), 2, 4}, {got.y.data(), 2, 4}, {got.mask});
  wrote_all();
  simdrop::dropout_forward(dropout, Matrix(got.y.data(), 2, 4), Matrix(got.y.data(), 2, 4), {});
  got.mask = want.mask;
  simdrop::dropout_forward(dropout, in, out, {});
  wrote_all();
  got.mask = want.mask;
  simdrop::dropout_forward({.keep_prob = 0.5, .stream = {1, 2}}, in, out, {}, 2);
  wrote_all();
  got.mask = want.mask;
  simdrop::dropout_forward(dropout, ConstMatrix(x.data(), 1, 8), Matrix(got.y.data(), 1, 8), {}, 1,
                           Stores::cached);
  wrote_all();
}

void backward_tails() {
  const Outputs want = expected();
  Outputs got{.mask = want.mask};
  const std::span<const float> dy(x);
  const std::span<float> dx(got.y);
  const std::span<const std::uint8_t> bits(got.mask);
  const simdrop::Threads threads = 2;
  const auto wrote_all = [&] {
    CHECK(got == want);
    std::ranges::fill(got.y, -1.0F);
  };
  simdrop::dropout_backward(dropout, dy, dx, {});
  wrote_all();
  simdrop::dropout_backward(dropout, dy, dx, {threads});
  wrote_all();
  simdrop::dropout_backward(dropout, dy, dx, {2});
  wrote_all();
  simdrop::dropout_backward(dropout, dy, dx, {}, {});
  wrote_all();
  simdrop::dropout_backward(dropout, {x.data(), 2, 4}, {got.y.data(), 2, 4}, threads);
  wrote_all();
  simdrop::dropout_backward(0.5, bits, dy, dx, {});
  wrote_all();
  simdrop::dropout_backward(0.5, {got.mask}, dy, dx, {threads}, {});
  wrote_all();
  simdrop::dropout_backward(0.5, {got.mask.data(), 1}, {x.data(), 2, 4}, {got.y.data(), 2, 4}, {2});
  wrote_all();
}

void other_tails() {
  std::vector<float> y(8), z(8);
  std::vector<std::uint8_t> mask(1);
  const std::span<const float> in(x);
  const std::span<float> out(y), other(z);
  simdrop::residual_dropout_forward(dropout, in, in, out, {mask});
  simdrop::residual_dropout_forward(dropout, in, in, other, {});
  CHECK(y == z);
  simdrop::residual_dropout_forward(0.5, mask, in, in, other, {}, {});
  CHECK(y == z);
  simdrop::bias_relu_dropout_forward(dropout, in, {}, out, {});
  simdrop::bias_relu_dropout_forward(dropout, in, {z.data(), 0}, other, {mask}, {1}, {});
  CHECK(y == z);
  simdrop::bias_relu_dropout_forward(0.5, mask, in, {}, other, {});
  CHECK(y == z);
  simdrop::relu_dropout_backward(0.5, out, in, out, {});
  simdrop::relu_dropout_backward(0.5, other, in, other, {2}, {});
  CHECK(y == z);

  simdrop::LinearWorkspace workspace;
  const std::vector<float> w(8, 1.0F);
  simdrop::linear_forward(in, in, {}, {}, {}, {y.data(), 1, 1}, workspace, {}, {});
  simdrop::linear_forward({x.data(), 1, 8}, {w.data(), 1, 8}, {}, {}, {}, {z.data(), 1, 1},
                          workspace, {});
  CHECK(y[0] == 204.0F);
  CHECK(z[0] == 36.0F);
  simdrop::linear_backward_input({z.data(), 1, 1}, in, {}, 1, out, workspace, {});
  CHECK(y[1] == 72.0F);
  simdrop::linear_backward_weights({z.data(), 1, 1}, in, 1, false, out, {}, workspace, {});
  CHECK(y[1] == 72.0F);
}

// Steps of equal networks agree, whatever the form of the calls.
void networks() {
  const simdrop::MlpConfig config{
      .widths = {2, 8, 2}, .keep_prob = {0.5}, .seed = 1, .max_batch = 4};
  simdrop::Mlp mlp(config), twin(config);
  simdrop::Optimizer sgd({}, {16, 8, 16, 2}), other({}, twin.parameter_sizes());
  const std::vector<std::uint8_t> labels{1, 0, 1, 0};
  const ConstMatrix batch(x.data(), 4, 2);
  const double loss = twin.train_step(batch, std::span(labels), other, 0, 1);
  CHECK(mlp.train_step(batch, {labels}, sgd, {}) == loss);
  CHECK(mlp.train_step({x.data(), 4, 2}, {labels}, sgd, {}, {}) ==
        twin.train_step(batch, {{labels}}, other, 0, 2));
  CHECK(mlp.forward(batch, {})(1, 1) == twin.forward(batch, 0, {}, {})(1, 1));
  CHECK(mlp.backward({labels}, {}) == twin.backward({labels}, 1));

  std::vector<float> mean(8), variance(8), same(8), as_well(8);
  mlp.predict(batch, {mean.data(), 4, 2}, {});
  twin.predict(batch, {same.data(), 4, 2}, 2);
  CHECK(mean == same);
  CHECK(mlp.loss_of({mean.data(), 4, 2}, {labels}) == twin.loss_of({same.data(), 4, 2}, {labels}));
  mlp.predict_monte_carlo(batch, 3, {mean.data(), 4, 2}, {variance.data(), 4, 2}, {}, {}, {});
  simdrop::Predictor predictor(twin, 4, {});
  predictor.predict_monte_carlo(batch, 3, {same.data(), 4, 2}, {as_well.data(), 4, 2}, {});
  CHECK(mean == same);
  CHECK(variance == as_well);
}

// A span of values is a row of targets: one example with eight outputs.
void targets_of_spans() {
  simdrop::Mlp mlp({.widths = {8, 8}, .loss = simdrop::Loss::identity_mse, .max_batch = 1});
  simdrop::Optimizer sgd({}, mlp.parameter_sizes());
  const std::span<const float> values(x);
  const simdrop::Targets targets(values);
  CHECK(targets.values.rows == 1);
  CHECK(targets.values.cols == 8);
  const double loss = mlp.train_step(values, {values}, sgd);
  CHECK(mlp.train_step(values, ConstMatrix(values), sgd) < loss);
}

}  // namespace

int main() {
  forward_tails();
  backward_tails();
  other_tails();
  networks();
  targets_of_spans();
  std::printf("%s\n", all_well ? "all as before" : "FAILED");
  return all_well ? 0 : 1;
}
