// Optimiser updates of vectors. The order of operations is that of elements.h, so every table, and
// every kernel that calls these on a tile, gives the same bits.
//
// An update is what a kernel that has gradients in registers calls:
//   vector(i, g)        weights i ... i + lanes_f32 - 1 and their state, from one vector g
//   vector(i, g, some)  the same, of SomeLanes alone
//   elements(i, n, g)   n weights from i on, from gradients in memory: the tails
// What the parameters leave out costs nothing: it is a template argument, which with_sgd_update()
// and with_adam_update() pick once for all that `body` does with the update. (Vectors are made by
// VecF(x): for xsimd 8.1, VecF{x} is an array.)
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/isa/isa.h"
#include "kernels/optimizer/elements.h"
#include "kernels/optimizer_arguments.h"

namespace simdrop::detail {
namespace {

// What an update writes: all lanes, or those with their bits set.
struct AllLanes {
  VecF operator()(VecF updated, VecF) const { return updated; }
};
struct SomeLanes {
  std::uint64_t bits;
  VecF operator()(VecF updated, VecF old) const { return blend_bits(bits, updated, old); }
};

template <bool Momentum, bool Nesterov, bool Decays>
struct SgdUpdate {
  const SgdParams& params;
  float* weights;
  float* momentum;
  VecF rate = VecF(params.learning_rate);
  VecF mu = VecF(params.momentum);
  VecF decay = VecF(params.weight_decay);

  template <class Which = AllLanes>
  void vector(std::size_t i, VecF g, Which which = {}) const {
    const VecF w = load(weights + i);
    if constexpr (Decays) g = g + decay * w;
    if constexpr (Momentum) {
      const VecF old = load(momentum + i);
      const VecF v = mu * old + g;
      store(momentum + i, which(v, old));
      g = Nesterov ? g + mu * v : v;
    }
    store(weights + i, which(w - rate * g, w));
  }
  void elements(std::size_t i, std::size_t n, const float* g) const {
    sgd_elements(params, 0, n, g, weights + i, Momentum ? momentum + i : nullptr);
  }
};

template <bool Decays, class Body>
inline void with_sgd_update(const SgdParams& params, float* weights, float* momentum, Body body) {
  if (momentum == nullptr) {
    body(SgdUpdate<false, false, Decays>{params, weights, momentum});
  } else if (params.nesterov) {
    body(SgdUpdate<true, true, Decays>{params, weights, momentum});
  } else {
    body(SgdUpdate<true, false, Decays>{params, weights, momentum});
  }
}
template <class Body>
inline void with_sgd_update(const SgdParams& params, float* weights, float* momentum, Body body) {
  if (params.weight_decay != 0.0F) {
    with_sgd_update<true>(params, weights, momentum, body);
  } else {
    with_sgd_update<false>(params, weights, momentum, body);
  }
}

// Penalty: weight decay is added to the gradient (Adam). Decoupled: it is taken off the weights.
template <bool Penalty, bool Decoupled>
struct AdamUpdate {
  const AdamParams& params;
  float* weights;
  float* first;
  float* second;
  VecF beta1 = VecF(params.beta1);
  VecF one_minus_beta1 = VecF(params.one_minus_beta1);
  VecF beta2 = VecF(params.beta2);
  VecF one_minus_beta2 = VecF(params.one_minus_beta2);
  VecF epsilon = VecF(params.epsilon);
  VecF inv_sqrt_correction = VecF(params.inv_sqrt_correction);
  VecF step_size = VecF(params.step_size);
  VecF weight_decay = VecF(params.weight_decay);
  VecF decay = VecF(params.decay);

  template <class Which = AllLanes>
  void vector(std::size_t i, VecF g, Which which = {}) const {
    const VecF w = load(weights + i);
    const VecF old_first = load(first + i);
    const VecF old_second = load(second + i);
    if constexpr (Penalty) g = g + weight_decay * w;
    const VecF m = beta1 * old_first + one_minus_beta1 * g;
    const VecF v = beta2 * old_second + one_minus_beta2 * (g * g);
    store(first + i, which(m, old_first));
    store(second + i, which(v, old_second));
    VecF step = step_size * divide(m, square_root(v) * inv_sqrt_correction + epsilon);
    if constexpr (Decoupled) step = decay * w + step;
    store(weights + i, which(w - step, w));
  }
  void elements(std::size_t i, std::size_t n, const float* g) const {
    adam_elements(params, 0, n, g, weights + i, first + i, second + i);
  }
};

template <class Body>
inline void with_adam_update(const AdamParams& params, float* weights, float* first, float* second,
                             Body body) {
  if (params.decay != 0.0F) {  // weight_decay is 0 then
    body(AdamUpdate<false, true>{params, weights, first, second});
  } else if (params.weight_decay != 0.0F) {
    body(AdamUpdate<true, false>{params, weights, first, second});
  } else {
    body(AdamUpdate<false, false>{params, weights, first, second});
  }
}

}  // namespace
}  // namespace simdrop::detail
