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

constexpr std::size_t batch_size = 9, input_count = 7, hidden_units = 19, class_count = 5;
constexpr double network_keep_prob = 0.6;
constexpr Dropout layer_dropout{.keep_prob = network_keep_prob, .stream = {5, 6}, .first = 100};

// x -> linear, ReLU, dropout -> linear -> softmax and cross-entropy, the mean over the batch.
struct Network {
  Doubles x = test::random_elements<double>(batch_size * input_count, 51);
  Doubles w1 = test::random_elements<double>(hidden_units * input_count, 52);
  Doubles b1 = test::random_elements<double>(hidden_units, 53);
  Doubles w2 = test::random_elements<double>(class_count * hidden_units, 54);
  Doubles b2 = test::random_elements<double>(class_count, 55);
  Doubles a = Doubles(batch_size * hidden_units), z = Doubles(batch_size * class_count);
  Doubles dx = Doubles(x.size()), dw1 = Doubles(w1.size()), db1 = Doubles(b1.size());
  Doubles dw2 = Doubles(w2.size()), db2 = Doubles(b2.size());
  simdrop::LinearWorkspace workspace;

  static std::size_t label(std::size_t r) { return (r * 3 + 1) % class_count; }
  // log of the sum of the exponentials of row r of z.
  double log_sum(std::size_t r) const {
    const double* row = z.data() + r * class_count;
    const double most = *std::max_element(row, row + class_count);
    double sum = 0.0;
    for (std::size_t c = 0; c < class_count; ++c) sum += std::exp(row[c] - most);
    return most + std::log(sum);
  }
  double loss() {
    simdrop::linear_forward(In(x.data(), batch_size, input_count),
                            In(w1.data(), hidden_units, input_count), b1, Activation::relu,
                            layer_dropout, Out(a.data(), batch_size, hidden_units), workspace);
    simdrop::linear_forward(In(a.data(), batch_size, hidden_units),
                            In(w2.data(), class_count, hidden_units), b2, Activation::identity, {},
                            Out(z.data(), batch_size, class_count), workspace);
    double sum = 0.0;
    for (std::size_t r = 0; r < batch_size; ++r) sum += log_sum(r) - z[r * class_count + label(r)];
    return sum / batch_size;
  }
  void gradients() {
    Doubles dz2(z.size()), dz1(a.size());
    for (std::size_t r = 0; r < batch_size; ++r) {
      for (std::size_t c = 0; c < class_count; ++c) {
        const double softmax = std::exp(z[r * class_count + c] - log_sum(r));
        dz2[r * class_count + c] = softmax - (c == label(r) ? 1.0 : 0.0);
      }
    }
    const In out_gradient(dz2.data(), batch_size, class_count);
    const In hidden(a.data(), batch_size, hidden_units);
    simdrop::linear_backward_weights(out_gradient, hidden, 1.0 / batch_size, false,
                                     Out(dw2.data(), class_count, hidden_units), db2, workspace);
    simdrop::linear_backward_input(out_gradient, In(w2.data(), class_count, hidden_units), hidden,
                                   network_keep_prob, Out(dz1.data(), batch_size, hidden_units),
                                   workspace);
    const In hidden_gradient(dz1.data(), batch_size, hidden_units);
    simdrop::linear_backward_weights(hidden_gradient, In(x.data(), batch_size, input_count),
                                     1.0 / batch_size, false,
                                     Out(dw1.data(), hidden_units, input_count), db1, workspace);
    simdrop::linear_backward_input(hidden_gradient, In(w1.data(), hidden_units, input_count), {},
                                   1.0, Out(dx.data(), batch_size, input_count), workspace);
    for (double& d : dx) d /= batch_size;
  }
  // How near a kink of the ReLU the closest kept unit is; units at 0 are switched off or dropped.
  double nearest_kink() const {
    double nearest = 1e300;
    for (std::size_t r = 0; r < batch_size; ++r) {
      for (std::size_t j = 0; j < hidden_units; ++j) {
        double z1 = b1[j];
        for (std::size_t p = 0; p < input_count; ++p)
          z1 += x[r * input_count + p] * w1[j * input_count + p];
        nearest = std::min(nearest, std::abs(z1));
      }
    }
    return nearest;
  }
};

// The losses are about 1 and rounded to about 1e-15, which 2h divides: 1e-10. Cutting the series
// off costs h^2 times third derivatives of about 10: 1e-10 again. Both are far below 1e-7 of the
// largest gradient.
constexpr double difference_step = 0x1p-18;
constexpr double tolerance = 1e-7;

void check_gradient(Network& network, Doubles& parameters, const Doubles& gradient) {
  double largest = 0.0;
  for (const double g : gradient) largest = std::max(largest, std::abs(g));
  REQUIRE(largest > 0.01);
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const double before = parameters[i];
    parameters[i] = before + difference_step;
    const double above = network.loss();
    parameters[i] = before - difference_step;
    const double below = network.loss();
    parameters[i] = before;
    const double slope = (above - below) / (2.0 * difference_step);
    CAPTURE(i);
    CHECK(std::abs(slope - gradient[i]) <= tolerance * largest);
  }
}

}  // namespace

TEST_CASE("linear: gradients of two layers equal central differences in double") {
  Network network;
  REQUIRE(network.nearest_kink() > 4.0 * difference_step);  // an input is below 2 in size
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
  const In dy(network.z.data(), batch_size, class_count);
  const In a(network.a.data(), batch_size, hidden_units);
  const Out dw(network.dw2.data(), class_count, hidden_units);
  simdrop::linear_backward_weights(dy, a, 0.5, false, dw, network.db2, network.workspace);
  const Doubles whole_dw(network.dw2), whole_db(network.db2);
  for (std::size_t r = 0; r < batch_size; r += 3) {
    simdrop::linear_backward_weights(In(dy.row(r), 3, class_count), In(a.row(r), 3, hidden_units),
                                     0.5, r > 0, dw, network.db2, network.workspace);
  }
  // At most 9 sums of products below 100 or so, in two orders.
  const auto close = [](double got, double want) { return std::abs(got - want) <= 1e-11; };
  CHECK(std::equal(whole_dw.begin(), whole_dw.end(), network.dw2.begin(), close));
  CHECK(std::equal(whole_db.begin(), whole_db.end(), network.db2.begin(), close));
}
