#include "optimizer_reference.h"

namespace reference {

namespace {

// beta^t, where beta may be the rounded one.
Bounded power(double beta, int t) {
  const double exact = std::pow(beta, t);
  return {exact, std::pow(beta * (1.0 + unit_roundoff), t) - exact};
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
  const Bounded one{1.0};
  const Bounded beta1 = constant(hyper_.beta1);
  const Bounded beta2 = constant(hyper_.beta2);
  if (hyper_.method == Method::adamw) {
    w = constant(1.0 - hyper_.learning_rate * hyper_.weight_decay) * w;
  } else if (hyper_.weight_decay != 0.0) {
    g = g + constant(hyper_.weight_decay) * w;
  }
  m = beta1 * m + (one - beta1) * g;
  v = beta2 * v + (one - beta2) * (g * g);
  const Bounded m_hat = m / (one - power(hyper_.beta1, t_));
  const Bounded v_hat = v / (one - power(hyper_.beta2, t_));
  return w -
         constant(hyper_.learning_rate) * m_hat / (square_root(v_hat) + constant(hyper_.epsilon));
}

void ReferenceOptimizer::step(std::vector<Bounded>& weights, const std::vector<Bounded>& gradient) {
  ++t_;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    weights[i] = hyper_.method == Method::sgd
                     ? sgd(weights[i], gradient[i], first_[i])
                     : adam(weights[i], gradient[i], first_[i], second_[i]);
  }
}

}  // namespace reference
