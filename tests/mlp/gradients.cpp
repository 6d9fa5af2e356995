// Gradients against finite differences: of the oracle, so that it can be trusted, and of the Mlp.
#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "helpers/mlp_fixtures.h"

namespace {

using namespace simdrop;

struct Setup {
  Mlp mlp;
  fixture::Batch batch;
  reference::Masks masks;
  reference::Tensor x, targets;

  explicit Setup(Loss loss)
      : mlp(fixture::make_config({4, 6, 5, 3}, loss, {0.8, 0.5, 0.75}, 5)),
        batch(fixture::make_batch(mlp.config(), 5, 3)) {
    fixture::randomise(mlp, 17);
    masks = fixture::inject_random_masks(mlp, 5, 29);
    x = fixture::tensor_of(batch.inputs());
    targets = fixture::tensor_of(ConstMatrix{batch.values.data(), 5, 3});
  }

  reference::Bounded oracle_loss(const reference::Network& network) const {
    auto pass = reference::forward(network, x, masks);
    reference::backward(network, targets, masks, pass);
    return pass.loss;
  }
};

// (loss(p + h) - loss(p - h)) / 2h, with p put back.
template <class Parameter, class LossFn>
double central_difference(Parameter& p, Parameter h, LossFn&& loss) {
  const Parameter before = p;
  p = before + h;
  const double above = static_cast<double>(p);
  const double loss_above = loss();
  p = before - h;
  const double below = static_cast<double>(p);
  const double loss_below = loss();
  p = before;
  return (loss_above - loss_below) / (above - below);
}

// Truncation error is c h^2, so D(2h) - D(h) = 3 c h^2: three times that of D(h). The loss is
// rounded as the oracle's bound says, at double's unit roundoff instead of float's.
void check_oracle_tensor(const Setup& s, reference::Network& network, reference::Tensor& parameter,
                         const reference::Tensor& gradient) {
  const double h = 0x1p-17;
  const auto value = [&] { return s.oracle_loss(network).value; };
  const double rounding = s.oracle_loss(network).bound * 0x1p-29 / h;
  for (std::size_t i = 0; i < parameter.values.size(); ++i) {
    double& p = parameter.values[i].value;
    const double slope = central_difference(p, h, value);
    const double wider = central_difference(p, 2.0 * h, value);
    CHECK(std::abs(slope - gradient.values[i].value) <= std::abs(wider - slope) + 2.0 * rounding);
  }
}

// |D - dw| of the Mlp is at most |D - dw| of the oracle at the same points, and what rounding does
// to both losses and to dw. Returns the largest tolerance.
double check_mlp_parameters(Setup& s, std::span<float> parameters, reference::Network& network,
                            reference::Tensor& oracle_parameters, const reference::Tensor& gradient,
                            std::span<const float> got) {
  const float h = 0x1p-8F;
  const auto mlp_loss = [&] {
    s.mlp.forward(s.batch.inputs(), 0);
    return s.mlp.backward(s.batch.targets());
  };
  const std::vector<float> dw(got.begin(), got.end());
  double loosest = 0.0;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    double& p = oracle_parameters.values[i].value;
    double worst = 0.0;
    const auto oracle_loss = [&] {
      const auto loss = s.oracle_loss(network);
      worst = std::max(worst, loss.bound);
      return loss.value;
    };
    const double expected = central_difference(p, static_cast<double>(h), oracle_loss);
    const double slope = central_difference(parameters[i], h, mlp_loss);
    // float(p + h) is up to u * |p + h| away from p + h; the slope along the way is |gradient|.
    const double moved = reference::unit_roundoff * (std::abs(p) + 1.0) * std::abs(expected);
    const double tolerance = std::abs(expected - gradient.values[i].value) +
                             gradient.values[i].bound + (worst + moved) / static_cast<double>(h);
    CHECK(std::abs(slope - static_cast<double>(dw[i])) <= tolerance);
    loosest = std::max(loosest, tolerance);
  }
  return loosest;
}

}  // namespace

TEST_CASE("mlp: the oracle's gradients equal its finite differences") {
  for (const Loss loss : fixture::all_losses) {
    CAPTURE(static_cast<int>(loss));
    const Setup s(loss);
    auto network = fixture::network_of(s.mlp);
    const auto pass = fixture::oracle_pass(s.mlp, s.batch, s.masks);
    for (std::size_t l = 1; l <= 3; ++l) {
      CAPTURE(l);
      check_oracle_tensor(s, network, network.weights[l], pass.dw[l]);
      check_oracle_tensor(s, network, network.bias[l], pass.db[l]);
    }
  }
}

TEST_CASE("mlp: gradients equal finite differences of the loss") {
  for (const Loss loss : fixture::all_losses) {
    CAPTURE(static_cast<int>(loss));
    Setup s(loss);
    auto network = fixture::network_of(s.mlp);
    const auto want = fixture::oracle_pass(s.mlp, s.batch, s.masks);
    for (std::size_t l = 1; l <= 3; ++l) {
      CAPTURE(l);
      s.mlp.forward(s.batch.inputs(), 0);
      s.mlp.backward(s.batch.targets());
      double largest = 0.0;
      for (const auto& g : want.dw[l].values) largest = std::max(largest, std::abs(g.value));
      const auto dw = fixture::copy_of(s.mlp.dw(l));
      const std::vector<float> db(s.mlp.db(l).begin(), s.mlp.db(l).end());
      const Matrix w = s.mlp.weights(l);
      REQUIRE(w.ld == w.cols);
      const double loosest =
          check_mlp_parameters(s, {w.data, w.size()}, network, network.weights[l], want.dw[l], dw);
      check_mlp_parameters(s, s.mlp.bias(l), network, network.bias[l], want.db[l], db);
      CHECK(loosest <= 0.1 * largest);  // else the comparison says little
    }
  }
}

TEST_CASE("mlp: nothing flows through a dropped unit, in either direction") {
  Mlp mlp(fixture::make_config({6, 40, 30, 3}, Loss::softmax_ce, {0.8, 0.5, 0.86}, 16));
  fixture::randomise(mlp, 5);
  const auto batch = fixture::make_batch(mlp.config(), 16, 7);
  mlp.forward(batch.inputs(), 0);
  mlp.backward(batch.targets());
  for (std::size_t l = 0; l <= 2; ++l) {
    CAPTURE(l);
    const std::size_t width = mlp.config().widths[l];
    std::size_t dropped = 0;
    std::size_t leaks = 0;
    for (std::size_t i = 0; i < 16 * width; ++i) {
      if (mask_bit(mlp.mask(l), i)) continue;
      ++dropped;
      const std::size_t r = i / width;
      const std::size_t c = i % width;
      if (mlp.a(l)(r, c) != 0.0F) ++leaks;
      if (l > 0 && (mlp.da(l)(r, c) != 0.0F || mlp.dz(l)(r, c) != 0.0F)) ++leaks;
    }
    CHECK(dropped > 0);
    CHECK(leaks == 0);
  }
}

TEST_CASE("mlp: a unit dropped in the whole batch gets a gradient of exactly zero") {
  Mlp mlp(fixture::make_config({6, 10, 3}, Loss::softmax_ce, {1.0, 0.5}, 8));
  fixture::randomise(mlp, 5);
  auto masks = fixture::keep_everything(mlp.config(), 8);
  for (std::size_t r = 0; r < 8; ++r) masks[1][r * 10 + 4] = false;
  fixture::inject_masks(mlp, masks);
  const auto batch = fixture::make_batch(mlp.config(), 8, 7);
  mlp.forward(batch.inputs(), 0);
  mlp.backward(batch.targets());
  CHECK(mlp.db(1)[4] == 0.0F);
  for (std::size_t k = 0; k < 6; ++k) CHECK(mlp.dw(1)(4, k) == 0.0F);
  for (std::size_t j = 0; j < 3; ++j) CHECK(mlp.dw(2)(j, 4) == 0.0F);
  float others = 0.0F;
  for (const float g : mlp.db(1)) others = std::max(others, std::abs(g));
  CHECK(others > 0.0F);
}
