// Optimiser updates, one pass over the weights; the order of operations is that of
// optimizer_scalar.h, so every table gives the same bits.

void sgd_f32(const SgdParams& params, std::size_t n, const float* gradient, float* weights,
             float* momentum) {
  const VecF rate(params.learning_rate);
  const VecF decay(params.weight_decay);
  const VecF mu(params.momentum);
  std::size_t i = 0;
  for (; i + lanes_f32 <= n; i += lanes_f32) {
    const VecF w = load(weights + i);
    VecF g = load(gradient + i) + decay * w;
    if (momentum != nullptr) {
      const VecF v = mu * load(momentum + i) + g;
      store(momentum + i, v);
      g = params.nesterov ? g + mu * v : v;
    }
    store(weights + i, w - rate * g);
  }
  sgd_elements(params, i, n, gradient, weights, momentum);
}

void adam_f32(const AdamParams& params, std::size_t n, const float* gradient, float* weights,
              float* first, float* second) {
  const VecF beta1(params.beta1);
  const VecF beta2(params.beta2);
  const VecF one_minus_beta1(1.0F - params.beta1);
  const VecF one_minus_beta2(1.0F - params.beta2);
  std::size_t i = 0;
  for (; i + lanes_f32 <= n; i += lanes_f32) {
    const VecF w = load(weights + i);
    const VecF g = load(gradient + i) + VecF(params.weight_decay) * w;
    const VecF m = beta1 * load(first + i) + one_minus_beta1 * g;
    const VecF v = beta2 * load(second + i) + one_minus_beta2 * (g * g);
    store(first + i, m);
    store(second + i, v);
    const VecF root = square_root(v) * VecF(params.inv_sqrt_correction) + VecF(params.epsilon);
    store(weights + i, VecF(params.decay) * w - VecF(params.step_size) * divide(m, root));
  }
  adam_elements(params, i, n, gradient, weights, first, second);
}
