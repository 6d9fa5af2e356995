// Losses far out where exp overflows, losses of predictions, and how NaN spreads.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "helpers/mlp_fixtures.h"

namespace {

using namespace simdrop;

constexpr float quiet_nan = std::numeric_limits<float>::quiet_NaN();

// One layer with the identity as its weights: Z is the input.
Mlp logits_network(Loss loss, std::size_t outputs, std::size_t max_batch) {
  Mlp mlp(fixture::make_config({outputs, outputs}, loss, {1.0}, max_batch));
  const Matrix w = mlp.weights(1);
  for (std::size_t i = 0; i < outputs; ++i) {
    for (std::size_t j = 0; j < outputs; ++j) w(i, j) = i == j ? 1.0F : 0.0F;
  }
  return mlp;
}

// Loss of the batch whose logits are given, a row after the other.
double loss_of_logits(Mlp& mlp, const std::vector<float>& logits, const Targets& targets) {
  const std::size_t outputs = mlp.config().widths.back();
  mlp.forward({logits.data(), logits.size() / outputs, outputs}, 0);
  return mlp.backward(targets);
}

bool all_finite(ConstMatrix matrix) {
  return std::ranges::all_of(fixture::copy_of(matrix), [](float v) { return std::isfinite(v); });
}

}  // namespace

TEST_CASE("mlp: sigmoid and cross-entropy stay right at logits of 1000") {
  Mlp mlp = logits_network(Loss::sigmoid_bce, 2, 4);
  const std::vector<float> logits{1000, -1000, 1000, -1000, 88.8F, -88.8F, -104, 104};
  const std::vector<float> y{1, 0, 0, 1, 1, 0, 0, 1};
  // -log sigmoid(z) is log(1 + e^-z): 0 and |z| here, to the last bit but for e^-88.8 and e^-104.
  CHECK(loss_of_logits(mlp, logits, ConstMatrix{y.data(), 4, 2}) == doctest::Approx(500.0));
  CHECK(all_finite(mlp.a(1)));
  CHECK(mlp.a(1)(0, 0) == 1.0F);
  CHECK(mlp.a(1)(0, 1) == 0.0F);
  CHECK(mlp.dz(1)(0, 0) == 0.0F);
  CHECK(mlp.dz(1)(0, 1) == 0.0F);
  CHECK(mlp.dz(1)(1, 0) == 1.0F);
  CHECK(mlp.dz(1)(1, 1) == -1.0F);
  CHECK(all_finite(mlp.dw(1)));
}

TEST_CASE("mlp: softmax and cross-entropy stay right at logits of 1000") {
  Mlp mlp = logits_network(Loss::softmax_ce, 3, 3);
  const std::vector<float> logits{1000, -1000, 0, 1000, -1000, 0, 1000, 1000, 1000};
  const std::vector<std::uint8_t> labels{0, 1, 2};
  const double expected = (0.0 + 2000.0 + std::log(3.0)) / 3.0;
  CHECK(loss_of_logits(mlp, logits, std::span(labels)) == doctest::Approx(expected));
  CHECK(mlp.a(1)(0, 0) == 1.0F);
  CHECK(mlp.a(1)(0, 1) == 0.0F);
  CHECK(mlp.dz(1)(0, 0) == 0.0F);
  CHECK(mlp.dz(1)(1, 0) == 1.0F);
  CHECK(mlp.dz(1)(1, 1) == -1.0F);
  CHECK(all_finite(mlp.a(1)));
  CHECK(all_finite(mlp.dw(1)));
}

TEST_CASE("mlp: mean squared error stays right at outputs of 1000") {
  Mlp mlp = logits_network(Loss::identity_mse, 2, 1);
  const std::vector<float> logits{1000, -1000};
  const std::vector<float> y{0.5F, -1000};
  CHECK(loss_of_logits(mlp, logits, ConstMatrix{y.data(), 1, 2}) == 0.5 * 999.5 * 999.5);
  CHECK(mlp.dz(1)(0, 0) == 999.5F);
  CHECK(mlp.dz(1)(0, 1) == 0.0F);
}

TEST_CASE("mlp: large logits of both signs equal the oracle's") {
  for (const Loss loss : fixture::all_losses) {
    Mlp mlp = logits_network(loss, 5, 40);
    auto batch = fixture::make_batch(mlp.config(), 40, 3);
    for (std::size_t i = 0; i < batch.x.size(); ++i) {
      batch.x[i] *= static_cast<float>(2 + 2 * (i / 5));  // up to +-80
    }
    const auto want =
        fixture::oracle_pass(mlp, batch, fixture::keep_everything(mlp.config(), batch.rows));
    mlp.forward(batch.inputs(), 0);
    CHECK(std::abs(mlp.backward(batch.targets()) - want.loss.value) <= want.loss.bound);
    fixture::check_close(mlp.a(1), want.a[1], "a");
    fixture::check_close(mlp.dz(1), want.dz[1], "dz");
  }
}

TEST_CASE("mlp: train_step is forward, backward and the optimiser's step") {
  for (const Loss loss : fixture::all_losses) {
    const auto config = fixture::make_config({7, 33, 3}, loss, {0.9, 0.5}, 9);
    const auto batch = fixture::make_batch(config, 9, 5);
    Mlp apart(config);
    apart.forward(batch.inputs(), 0);
    const double want = apart.backward(batch.targets());
    Mlp together(config);
    Optimizer optimizer({}, together.parameter_sizes());
    CHECK(together.train_step(batch.inputs(), batch.targets(), optimizer) == want);
    CHECK(fixture::same_bits(fixture::copy_of(together.z(2)), fixture::copy_of(apart.z(2))));
    CHECK(fixture::same_bits(fixture::copy_of(together.a(2)), fixture::copy_of(apart.a(2))));
    CHECK(fixture::same_bits(fixture::copy_of(together.dz(2)), fixture::copy_of(apart.dz(2))));
    CHECK(fixture::same_bits(fixture::gradients(together), fixture::gradients(apart)));
  }
}

TEST_CASE("mlp: loss_of predictions is the loss of the same batch") {
  for (const Loss loss : fixture::all_losses) {
    Mlp mlp(fixture::make_config({7, 33, 3}, loss, {1.0, 1.0}, 9));
    fixture::randomise(mlp, 3);
    const auto batch = fixture::make_batch(mlp.config(), 9, 5);
    mlp.forward(batch.inputs(), 0);
    mlp.backward(batch.targets());
    std::vector<float> out(9 * 3);
    mlp.predict(batch.inputs(), {out.data(), 9, 3});
    const auto want = fixture::oracle_pass(mlp, batch, fixture::keep_everything(mlp.config(), 9));
    // An error e of a moves -log(a) by e / a and -log(1 - a) by e / (1 - a).
    double tolerance = want.loss.bound;
    for (const auto& a : want.a.back().values) {
      const double nearest = loss == Loss::sigmoid_bce ? std::min(a.value, 1.0 - a.value) : a.value;
      if (loss != Loss::identity_mse) tolerance += 2.0 * a.bound / (nearest - a.bound) / 9.0;
    }
    CHECK(std::abs(mlp.loss_of({out.data(), 9, 3}, batch.targets()) - want.loss.value) <=
          tolerance);
  }
}

TEST_CASE("mlp: loss_of saturated predictions is finite") {
  const Mlp bce = logits_network(Loss::sigmoid_bce, 2, 1);
  const std::vector<float> ends{0.0F, 1.0F};
  const std::vector<float> wrong{1.0F, 0.0F};
  CHECK(bce.loss_of(ConstMatrix{ends.data(), 1, 2}, ConstMatrix{ends.data(), 1, 2}) ==
        doctest::Approx(0.0));
  const double worst = bce.loss_of(ConstMatrix{ends.data(), 1, 2}, ConstMatrix{wrong.data(), 1, 2});
  CHECK(std::isfinite(worst));
  CHECK(worst > 80.0);  // a double of float's smallest number: -log(2^-126) = 87

  const Mlp softmax = logits_network(Loss::softmax_ce, 2, 1);
  const std::vector<std::uint8_t> label{0};
  const double missed = softmax.loss_of(ConstMatrix{ends.data(), 1, 2}, std::span(label));
  CHECK(std::isfinite(missed));
  CHECK(missed > 80.0);
}

TEST_CASE("mlp: NaN in an example spreads in it, and to the gradients") {
  for (const Loss loss : fixture::all_losses) {
    Mlp mlp(fixture::make_config({7, 33, 17, 3}, loss, {1.0, 0.5, 1.0}, 9));
    auto batch = fixture::make_batch(mlp.config(), 9, 5);
    const auto clean = fixture::copy_of(mlp.forward(batch.inputs(), 0));
    batch.x[4 * 7 + 2] = quiet_nan;
    const auto output = fixture::copy_of(mlp.forward(batch.inputs(), 0));
    for (std::size_t i = 0; i < output.size(); ++i) {
      if (i / 3 == 4) {
        CHECK(std::isnan(output[i]));
      } else {
        CHECK(output[i] == clean[i]);
      }
    }
    CHECK(std::isnan(mlp.backward(batch.targets())));
    CHECK(std::isnan(mlp.dw(3)(0, 0)));
    CHECK(std::isnan(mlp.db(3)[0]));
    std::vector<float> out(9 * 3);
    mlp.predict(batch.inputs(), {out.data(), 9, 3});
    for (std::size_t c = 0; c < 3; ++c) CHECK(std::isnan(out[4 * 3 + c]));
    CHECK(std::isfinite(out[0]));
  }
}

TEST_CASE("mlp: NaN in a dropped input feature is gone") {
  Mlp mlp(fixture::make_config({7, 33, 3}, Loss::softmax_ce, {0.8, 1.0}, 9));
  auto masks = fixture::keep_everything(mlp.config(), 9);
  masks[0][4 * 7 + 2] = false;
  fixture::inject_masks(mlp, masks);
  auto batch = fixture::make_batch(mlp.config(), 9, 5);
  mlp.forward(batch.inputs(), 0);
  const double loss = mlp.backward(batch.targets());
  const auto want = fixture::gradients(mlp);
  batch.x[4 * 7 + 2] = quiet_nan;
  mlp.forward(batch.inputs(), 0);
  CHECK(mlp.backward(batch.targets()) == loss);
  CHECK(fixture::same_bits(fixture::gradients(mlp), want));
}

TEST_CASE("mlp: keep_prob 0 drops NaN too, whatever injected bits say") {
  Mlp mlp(fixture::make_config({7, 33, 3}, Loss::softmax_ce, {0.0, 1.0}, 9));
  fixture::inject_masks(mlp, fixture::keep_everything(mlp.config(), 9));
  auto batch = fixture::make_batch(mlp.config(), 9, 5);
  batch.x[4 * 7 + 2] = quiet_nan;
  mlp.forward(batch.inputs(), 0);
  CHECK(std::isfinite(mlp.backward(batch.targets())));
  CHECK(fixture::same_bits(fixture::copy_of(mlp.a(0)), std::vector<float>(9 * 7, 0.0F)));
}
