// Optimiser updates of elements begin ... end - 1 in plain C++: the scalar table, and the tails of
// the vector ones. Included inside an anonymous namespace. Sources: see optimizer.hpp.

inline void sgd_elements(const SgdParams& params, std::size_t begin, std::size_t end,
                         const float* gradient, float* weights, float* momentum) {
  for (std::size_t i = begin; i < end; ++i) {
    float g = gradient[i] + params.weight_decay * weights[i];
    if (momentum != nullptr) {
      momentum[i] = params.momentum * momentum[i] + g;
      g = params.nesterov ? g + params.momentum * momentum[i] : momentum[i];
    }
    weights[i] -= params.learning_rate * g;
  }
}

inline void adam_elements(const AdamParams& params, std::size_t begin, std::size_t end,
                          const float* gradient, float* weights, float* first, float* second) {
  for (std::size_t i = begin; i < end; ++i) {
    const float g = gradient[i] + params.weight_decay * weights[i];
    first[i] = params.beta1 * first[i] + (1.0F - params.beta1) * g;
    second[i] = params.beta2 * second[i] + (1.0F - params.beta2) * (g * g);
    const float root = __builtin_sqrtf(second[i]) * params.inv_sqrt_correction + params.epsilon;
    weights[i] = params.decay * weights[i] - params.step_size * (first[i] / root);
  }
}
