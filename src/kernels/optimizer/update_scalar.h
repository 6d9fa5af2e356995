// Optimiser updates in plain C++: the scalar table, and the tails of the vector ones. Included
// inside an anonymous namespace. Sources: see optimizer.hpp.

// Elements begin ... end - 1.
inline void sgd_elements(const SgdParams& params, std::size_t begin, std::size_t end,
                         const float* gradient, float* weights, float* momentum) {
  const bool decays = params.weight_decay != 0.0F;  // 0 * Inf would be NaN
  for (std::size_t i = begin; i < end; ++i) {
    float g = gradient[i];
    if (decays) g += params.weight_decay * weights[i];
    if (momentum != nullptr) {
      momentum[i] = params.momentum * momentum[i] + g;
      g = params.nesterov ? g + params.momentum * momentum[i] : momentum[i];
    }
    weights[i] -= params.learning_rate * g;
  }
}

inline void adam_elements(const AdamParams& params, std::size_t begin, std::size_t end,
                          const float* gradient, float* weights, float* first, float* second) {
  const bool penalty = params.weight_decay != 0.0F;
  const bool decoupled = params.decay != 0.0F;
  for (std::size_t i = begin; i < end; ++i) {
    float g = gradient[i];
    if (penalty) g += params.weight_decay * weights[i];
    first[i] = params.beta1 * first[i] + params.one_minus_beta1 * g;
    second[i] = params.beta2 * second[i] + params.one_minus_beta2 * (g * g);
    const float root = __builtin_sqrtf(second[i]) * params.inv_sqrt_correction + params.epsilon;
    float step = params.step_size * (first[i] / root);
    if (decoupled) step = params.decay * weights[i] + step;
    weights[i] -= step;
  }
}

// The norm of a row is taken in double, where the square of a float is exact and no sum overflows.
// Column j of the whole blocks of 32 goes to sum j % 32, the sums into a tree, then the columns
// that are left follow: so the width of a vector does not matter, nor does FMA. Each square passes
// through at most columns / 32 + 36 additions.
constexpr std::size_t norm_sums = 32;

// The tree over the first `count` sums, whose upper part has been folded into them.
inline double fold_sums(double* sums, std::size_t count) {
  for (std::size_t half = count / 2; half > 0; half /= 2) {
    for (std::size_t j = 0; j < half; ++j) sums[j] += sums[j + half];
  }
  return sums[0];
}

inline double norm_of(double sum, std::size_t begin, std::size_t end, const float* x) {
  for (std::size_t j = begin; j < end; ++j) {
    const auto value = static_cast<double>(x[j]);
    sum += value * value;
  }
  return __builtin_sqrt(sum);
}

// What to multiply a row by, in double; 0 if it stays as it is. So does one with an Inf, where the
// quotient is 0, and one with a NaN, which is above nothing.
inline double norm_factor(double norm, double max_norm) {
  return norm > max_norm ? max_norm / norm : 0.0;
}

inline void scale_in_double(double factor, std::size_t begin, std::size_t end, float* x) {
  for (std::size_t j = begin; j < end; ++j) {
    x[j] = static_cast<float>(static_cast<double>(x[j]) * factor);
  }
}
