#include "reference/mlp_reference.h"

namespace reference {
namespace {

// Roundings of one call of exp or log and the few operations around it; math libraries promise
// about 1 ulp (2 roundings) for the call itself.
constexpr double transcendental = 8.0;

// ±error on the logits of a row at worst.
double worst_bound(const Tensor& z, std::size_t r) {
  double worst = 0.0;
  for (std::size_t c = 0; c < z.cols; ++c) worst = std::max(worst, z(r, c).bound);
  return worst;
}

double row_max(const Tensor& z, std::size_t r) {
  double top = z(r, 0).value;
  for (std::size_t c = 1; c < z.cols; ++c) top = std::max(top, z(r, c).value);
  return top;
}

double log_sum_exp(const Tensor& z, std::size_t r) {
  const double top = row_max(z, r);
  double sum = 0.0;
  for (std::size_t c = 0; c < z.cols; ++c) sum += std::exp(z(r, c).value - top);
  return top + std::log(sum);
}

double sigmoid(double z) {
  return 1.0 / (1.0 + std::exp(-z));
}

Bounded sigmoid(Bounded z) {
  const double a = sigmoid(z.value);
  const double moved = std::max(sigmoid(z.value + z.bound) - a, a - sigmoid(z.value - z.bound));
  return rounded(a, moved, transcendental);
}

// Moving every logit by at most e multiplies a softmax by at most exp(2 e); subtracting the
// largest logit rounds the exponent by u * distance.
Bounded softmax(const Tensor& z, std::size_t r, std::size_t c) {
  const double a = std::exp(z(r, c).value - log_sum_exp(z, r));
  const double distance = row_max(z, r) - z(r, c).value;
  const double roundings = transcendental + static_cast<double>(z.cols) + distance;
  if (roundings * unit_roundoff > 0.5) return {a, 1.0};  // all that is known of a share
  const double moved = std::min(1.0, a * std::expm1(2.0 * worst_bound(z, r)));
  return rounded(a, moved, roundings);
}

Tensor output_activation(Head head, const Tensor& z) {
  Tensor a(z.rows, z.cols);
  for (std::size_t r = 0; r < z.rows; ++r) {
    for (std::size_t c = 0; c < z.cols; ++c) {
      switch (head) {
        case Head::sigmoid_bce:
          a(r, c) = sigmoid(z(r, c));
          break;
        case Head::softmax_ce:
          a(r, c) = softmax(z, r, c);
          break;
        case Head::identity_mse:
          a(r, c) = z(r, c);
          break;
      }
    }
  }
  return a;
}

// -(y log a + (1 - y) log(1 - a)) with a = sigmoid(z). Its derivative in z is a - y.
Bounded cross_entropy_of_logit(Bounded z, double y) {
  const double log_a = -std::log1p(std::exp(-std::abs(z.value))) + std::min(z.value, 0.0);
  const double log_1_minus_a = log_a - z.value;
  const double slope = std::abs(sigmoid(z.value) - y) + z.bound;
  const double rounding = transcendental * unit_roundoff * (1.0 + z.magnitude());
  return {-(y * log_a + (1.0 - y) * log_1_minus_a), slope * z.bound + rounding};
}

Bounded cross_entropy_of_row(const Tensor& z, const Tensor& targets, std::size_t r) {
  const double total = log_sum_exp(z, r);
  double loss = 0.0;
  double largest = 0.0;
  for (std::size_t c = 0; c < z.cols; ++c) {
    loss += targets(r, c).value * (total - z(r, c).value);
    largest = std::max(largest, z(r, c).magnitude());
  }
  const double roundings = transcendental + static_cast<double>(z.cols);
  return {loss, 2.0 * worst_bound(z, r) + roundings * unit_roundoff * (1.0 + largest)};
}

Bounded mean_loss(Head head, const Tensor& z, const Tensor& targets) {
  Sum sum;
  for (std::size_t r = 0; r < z.rows; ++r) {
    if (head == Head::softmax_ce) {
      sum.add(cross_entropy_of_row(z, targets, r));
      continue;
    }
    for (std::size_t c = 0; c < z.cols; ++c) {
      if (head == Head::sigmoid_bce) {
        sum.add(cross_entropy_of_logit(z(r, c), targets(r, c).value));
      } else {
        const Bounded difference = z(r, c) - targets(r, c);
        sum.add_product(difference, difference);
      }
    }
  }
  const std::size_t terms = head == Head::identity_mse ? z.rows * z.cols : z.rows;
  return sum.result() / Bounded{static_cast<double>(terms)};
}

// Inverted dropout: x / keep_prob where kept, 0 where dropped.
void drop(Tensor& x, const std::vector<bool>& kept, double keep_prob) {
  for (std::size_t i = 0; i < x.values.size(); ++i) {
    x.values[i] = kept[i] && keep_prob > 0.0 ? x.values[i] / Bounded{keep_prob} : Bounded{};
  }
}

Tensor linear(const Tensor& a, const Tensor& weights, const Tensor& bias) {
  Tensor z(a.rows, weights.rows);
  for (std::size_t r = 0; r < z.rows; ++r) {
    for (std::size_t j = 0; j < z.cols; ++j) {
      Sum sum;
      for (std::size_t k = 0; k < a.cols; ++k) sum.add_product(weights(j, k), a(r, k));
      sum.add(bias(0, j));
      z(r, j) = sum.result();
    }
  }
  return z;
}

Tensor relu(const Tensor& z) {
  Tensor a(z.rows, z.cols);
  for (std::size_t i = 0; i < z.values.size(); ++i) {
    const Bounded v = z.values[i];
    if (v.value > -v.bound) a.values[i] = {std::max(v.value, 0.0), v.bound};
  }
  return a;
}

// dA of the layer below: dZ W.
Tensor back_through_weights(const Tensor& dz, const Tensor& weights) {
  Tensor da(dz.rows, weights.cols);
  for (std::size_t r = 0; r < da.rows; ++r) {
    for (std::size_t k = 0; k < da.cols; ++k) {
      Sum sum;
      for (std::size_t j = 0; j < dz.cols; ++j) sum.add_product(dz(r, j), weights(j, k));
      da(r, k) = sum.result();
    }
  }
  return da;
}

Tensor back_through_relu(const Tensor& da, const Tensor& z, std::size_t& ambiguous) {
  Tensor dz(da.rows, da.cols);
  for (std::size_t i = 0; i < z.values.size(); ++i) {
    const Bounded v = z.values[i];
    if (v.value > 0.0) dz.values[i] = da.values[i];
    const bool known = std::abs(v.value) > v.bound || v.bound == 0.0;
    if (known || da.values[i].magnitude() == 0.0) continue;
    dz.values[i].bound = da.values[i].magnitude();
    ++ambiguous;
  }
  return dz;
}

Tensor output_gradient(Head head, const Tensor& a, const Tensor& targets) {
  Tensor dz(a.rows, a.cols);
  const Bounded factor{2.0 / static_cast<double>(a.cols)};
  for (std::size_t i = 0; i < a.values.size(); ++i) {
    dz.values[i] = a.values[i] - targets.values[i];
    if (head == Head::identity_mse) dz.values[i] = dz.values[i] * factor;
  }
  return dz;
}

void parameter_gradients(const Tensor& dz, const Tensor& a_below, Tensor& dw, Tensor& db) {
  const Bounded m{static_cast<double>(dz.rows)};
  dw = Tensor(dz.cols, a_below.cols);
  db = Tensor(1, dz.cols);
  for (std::size_t j = 0; j < dz.cols; ++j) {
    Sum bias_sum;
    for (std::size_t r = 0; r < dz.rows; ++r) bias_sum.add(dz(r, j));
    db(0, j) = bias_sum.result() / m;
    for (std::size_t k = 0; k < a_below.cols; ++k) {
      Sum sum;
      for (std::size_t r = 0; r < dz.rows; ++r) sum.add_product(dz(r, j), a_below(r, k));
      dw(j, k) = sum.result() / m;
    }
  }
}

}  // namespace

Pass forward(const Network& network, const Tensor& x, const Masks& masks) {
  const std::size_t layers = network.layers();
  Pass pass;
  for (auto* list : {&pass.z, &pass.a, &pass.da, &pass.dz, &pass.dw, &pass.db}) {
    list->resize(layers + 1);
  }
  pass.a[0] = x;
  drop(pass.a[0], masks[0], network.keep_prob[0]);
  for (std::size_t l = 1; l <= layers; ++l) {
    pass.z[l] = linear(pass.a[l - 1], network.weights[l], network.bias[l]);
    if (l == layers) {
      pass.a[l] = output_activation(network.head, pass.z[l]);
    } else {
      pass.a[l] = relu(pass.z[l]);
      drop(pass.a[l], masks[l], network.keep_prob[l]);
    }
  }
  return pass;
}

void backward(const Network& network, const Tensor& targets, const Masks& masks, Pass& pass) {
  const std::size_t layers = network.layers();
  pass.loss = mean_loss(network.head, pass.z[layers], targets);
  pass.dz[layers] = output_gradient(network.head, pass.a[layers], targets);
  for (std::size_t l = layers; l >= 1; --l) {
    parameter_gradients(pass.dz[l], pass.a[l - 1], pass.dw[l], pass.db[l]);
    if (l == 1) break;
    pass.da[l - 1] = back_through_weights(pass.dz[l], network.weights[l]);
    drop(pass.da[l - 1], masks[l - 1], network.keep_prob[l - 1]);
    pass.dz[l - 1] = back_through_relu(pass.da[l - 1], pass.z[l - 1], pass.ambiguous_gates);
  }
}

}  // namespace reference
