#include "reference/optimizer_reference.h"

namespace reference {

namespace {

// 1 - beta^t, as the sum of the weights (1 - beta) beta^k of t steps. Both constants may be
// rounded.
Bounded weight_sum(double beta, int t) {
  const double exact = 1.0 - std::pow(beta, t);
  const double above = beta * (1.0 + unit_roundoff);
  const double largest =
      (1.0 - beta) * (1.0 + unit_roundoff) * (1.0 - std::pow(above, t)) / (1.0 - above);
  return {exact, largest - exact};
}

}  // namespace

// torch.optim.SGD with dampening 0: b_t = mu b_(t-1) + g_t (b_1 = g_1, as b_0 = 0).
Bounded ReferenceOptimizer::sgd(Bounded w, Bounded g, Bounded& buffer) const {
  if (hyper_.weight_decay != 0.0) g = g + constant(hyper_.weight_decay) * w;
  const Bounded momentum = constant(hyper_.momentum);
  buffer = momentum * buffer + g;
  const Bounded direction = hyper_.nesterov ? g + momentum * buffer : buffer;
  return w - constant(hyper_.learning_rate) * direction;
}

// Algorithm 1 of arXiv 1412.6980; AdamW decays the weights first (torch.optim.AdamW).
Bounded ReferenceOptimizer::adam(Bounded w, Bounded g, Bounded& m, Bounded& v) const {
  const Bounded rate = constant(hyper_.learning_rate);
  const bool decoupled = hyper_.method == Method::adamw;
  if (!decoupled && hyper_.weight_decay != 0.0) g = g + constant(hyper_.weight_decay) * w;
  m = constant(hyper_.beta1) * m + constant(1.0 - hyper_.beta1) * g;
  v = constant(hyper_.beta2) * v + constant(1.0 - hyper_.beta2) * (g * g);
  const Bounded m_hat = m / weight_sum(hyper_.beta1, t_);
  const Bounded v_hat = v / weight_sum(hyper_.beta2, t_);
  Bounded step = rate * m_hat / (square_root(v_hat) + constant(hyper_.epsilon));
  if (decoupled) step = constant(hyper_.learning_rate * hyper_.weight_decay) * w + step;
  return w - step;
}

// Srivastava et al. (2014), section 5.1. A norm moves by no more than the vector does, and
// min(1, max_norm / norm) is continuous: its bound holds on either side of the constraint.
void ReferenceOptimizer::limit_norm(Bounded* row) const {
  const std::size_t n = hyper_.row_length;
  double squares = 0.0;
  double bounds = 0.0;
  for (std::size_t i = 0; i < n; ++i) {
    squares += row[i].value * row[i].value;
    bounds += row[i].bound * row[i].bound;
  }
  const double norm = std::sqrt(squares);
  const double error = std::sqrt(bounds) + static_cast<double>(n + 3) * 0x1p-53 * norm;
  if (norm + error <= hyper_.max_norm) return;
  const double factor = std::min(1.0, hyper_.max_norm / norm);
  // It lies in [0, 1], also where little is known of the norm.
  const double most = error < norm ? hyper_.max_norm * error / (norm * (norm - error)) : 1.0;
  const Bounded scale{factor, std::min(most, 1.0)};
  for (std::size_t i = 0; i < n; ++i) {
    const Bounded product = exact_product(row[i], scale);
    row[i] = rounded(product.value, product.bound, 1.0);
  }
}

void ReferenceOptimizer::step(std::vector<Bounded>& weights, const std::vector<Bounded>& gradient,
                              const std::vector<bool>& touched) {
  ++t_;
  const auto is_touched = [&](std::size_t i) { return touched.empty() || touched[i]; };
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (!is_touched(i)) continue;
    weights[i] = hyper_.method == Method::sgd
                     ? sgd(weights[i], gradient[i], first_[i])
                     : adam(weights[i], gradient[i], first_[i], second_[i]);
  }
  if (hyper_.max_norm == 0.0 || hyper_.row_length == 0) return;
  for (std::size_t row = 0; row < weights.size(); row += hyper_.row_length) {
    bool any = false;
    for (std::size_t i = 0; i < hyper_.row_length; ++i) any = any || is_touched(row + i);
    if (any) limit_norm(&weights[row]);
  }
}

}  // namespace reference
