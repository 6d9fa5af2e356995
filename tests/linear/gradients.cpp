// Back-propagation through two linear layers, in double, against central differences of the loss.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "helpers/element.h"
#include "simdrop/linear.hpp"

namespace {

using simdrop::Activation;
using simdrop::Dropout;
using In = simdrop::MatrixView<const double>;
using Out = simdrop::MatrixView<double>;
using Doubles = std::vector<double>;

constexpr std::size_t kBatch = 9, kIn = 7, kHidden = 19, kClasses = 5;
constexpr double kKeepProb = 0.6;
constexpr Dropout kDropout{.keep_prob = kKeepProb, .stream = {5, 6}, .first = 100};

// x -> linear, ReLU, dropout -> linear -> softmax and cross-entropy, the mean over the batch.
struct Network {
  Doubles x = test::random_elements<double>(kBatch * kIn, 51);
  Doubles w1 = test::random_elements<double>(kHidden * kIn, 52);
  Doubles b1 = test::random_elements<double>(kHidden, 53);
  Doubles w2 = test::random_elements<double>(kClasses * kHidden, 54);
  Doubles b2 = test::random_elements<double>(kClasses, 55);
  Doubles a = Doubles(kBatch * kHidden), z = Doubles(kBatch * kClasses);
  Doubles dx = Doubles(x.size()), dw1 = Doubles(w1.size()), db1 = Doubles(b1.size());
  Doubles dw2 = Doubles(w2.size()), db2 = Doubles(b2.size());
  simdrop::LinearWorkspace workspace;

  static std::size_t label(std::size_t r) { return (r * 3 + 1) % kClasses; }
  // log of the sum of the exponentials of row r of z.
  double log_sum(std::size_t r) const {
    const double* row = z.data() + r * kClasses;
    const double most = *std::max_element(row, row + kClasses);
    double sum = 0.0;
    for (std::size_t c = 0; c < kClasses; ++c) sum += std::exp(row[c] - most);
    return most + std::log(sum);
  }
  double loss() {
    simdrop::linear_forward(In(x.data(), kBatch, kIn), In(w1.data(), kHidden, kIn), b1,
                            Activation::relu, kDropout, Out(a.data(), kBatch, kHidden), workspace);
    simdrop::linear_forward(In(a.data(), kBatch, kHidden), In(w2.data(), kClasses, kHidden), b2,
                            Activation::identity, {}, Out(z.data(), kBatch, kClasses), workspace);
    double sum = 0.0;
    for (std::size_t r = 0; r < kBatch; ++r) sum += log_sum(r) - z[r * kClasses + label(r)];
    return sum / kBatch;
  }
  void gradients() {
    Doubles dz2(z.size()), dz1(a.size());
    for (std::size_t r = 0; r < kBatch; ++r) {
      for (std::size_t c = 0; c < kClasses; ++c) {
        const double softmax = std::exp(z[r * kClasses + c] - log_sum(r));
        dz2[r * kClasses + c] = softmax - (c == label(r) ? 1.0 : 0.0);
      }
    }
    const In out_gradient(dz2.data(), kBatch, kClasses);
    const In hidden(a.data(), kBatch, kHidden);
    simdrop::linear_backward_weights(out_gradient, hidden, 1.0 / kBatch, false,
                                     Out(dw2.data(), kClasses, kHidden), db2, workspace);
    simdrop::linear_backward_input(out_gradient, In(w2.data(), kClasses, kHidden), hidden,
                                   kKeepProb, Out(dz1.data(), kBatch, kHidden), workspace);
    const In hidden_gradient(dz1.data(), kBatch, kHidden);
    simdrop::linear_backward_weights(hidden_gradient, In(x.data(), kBatch, kIn), 1.0 / kBatch,
                                     false, Out(dw1.data(), kHidden, kIn), db1, workspace);
    simdrop::linear_backward_input(hidden_gradient, In(w1.data(), kHidden, kIn), {}, 1.0,
                                   Out(dx.data(), kBatch, kIn), workspace);
    for (double& d : dx) d /= kBatch;
  }
  // How near a kink of the ReLU the closest kept unit is; units at 0 are switched off or dropped.
  double nearest_kink() const {
    double nearest = 1e300;
    for (std::size_t r = 0; r < kBatch; ++r) {
      for (std::size_t j = 0; j < kHidden; ++j) {
        double z1 = b1[j];
        for (std::size_t p = 0; p < kIn; ++p) z1 += x[r * kIn + p] * w1[j * kIn + p];
        nearest = std::min(nearest, std::abs(z1));
      }
    }
    return nearest;
  }
};

// The losses are about 1 and rounded to about 1e-15, which 2h divides: 1e-10. Cutting the series
// off costs h^2 times third derivatives of about 10: 1e-10 again. Both are far below 1e-7 of the
// largest gradient.
constexpr double kStep = 0x1p-18;
constexpr double kTolerance = 1e-7;

void check_gradient(Network& network, Doubles& parameters, const Doubles& gradient) {
  double largest = 0.0;
  for (const double g : gradient) largest = std::max(largest, std::abs(g));
  REQUIRE(largest > 0.01);
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const double before = parameters[i];
    parameters[i] = before + kStep;
    const double above = network.loss();
    parameters[i] = before - kStep;
    const double below = network.loss();
    parameters[i] = before;
    const double slope = (above - below) / (2.0 * kStep);
    CAPTURE(i);
    CHECK(std::abs(slope - gradient[i]) <= kTolerance * largest);
  }
}

}  // namespace

TEST_CASE("linear: gradients of two layers equal central differences in double") {
  Network network;
  REQUIRE(network.nearest_kink() > 4.0 * kStep);  // an input is below 2 in size
  network.loss();
  network.gradients();
  const auto dropped = std::count(network.a.begin(), network.a.end(), 0.0);
  REQUIRE(dropped > static_cast<std::ptrdiff_t>(network.a.size() / 4));
  REQUIRE(dropped < static_cast<std::ptrdiff_t>(network.a.size()));
  check_gradient(network, network.w1, network.dw1);
  check_gradient(network, network.b1, network.db1);
  check_gradient(network, network.w2, network.dw2);
  check_gradient(network, network.b2, network.db2);
  check_gradient(network, network.x, network.dx);
}

TEST_CASE("linear: gradients of parts of a batch add up") {
  Network network;
  network.loss();
  const In dy(network.z.data(), kBatch, kClasses);
  const In a(network.a.data(), kBatch, kHidden);
  const Out dw(network.dw2.data(), kClasses, kHidden);
  simdrop::linear_backward_weights(dy, a, 0.5, false, dw, network.db2, network.workspace);
  const Doubles whole_dw(network.dw2), whole_db(network.db2);
  for (std::size_t r = 0; r < kBatch; r += 3) {
    simdrop::linear_backward_weights(In(dy.row(r), 3, kClasses), In(a.row(r), 3, kHidden), 0.5,
                                     r > 0, dw, network.db2, network.workspace);
  }
  // At most 9 sums of products below 100 or so, in two orders.
  const auto close = [](double got, double want) { return std::abs(got - want) <= 1e-11; };
  CHECK(std::equal(whole_dw.begin(), whole_dw.end(), network.dw2.begin(), close));
  CHECK(std::equal(whole_db.begin(), whole_db.end(), network.db2.begin(), close));
}
