// What is done to a finished block of a product on its way out, a vector at a time; the block is in
// L1 or L2, where the micro-kernels left it. Included inside an anonymous namespace.

// Bias, ReLU and dropout on one vector of n outputs of example `row`.
template <class T>
inline void finish_outputs(const ForwardProduct<T>& p, std::size_t row, std::size_t out,
                           std::size_t n, VecOf<T> z, VecOf<T> bias) {
  constexpr std::size_t lanes = lanes_of<T>;
  if (p.bias != nullptr) z = z + bias;
  if (p.z != nullptr) store_first(p.z + row * p.ld_z + out, z, n);
  if (p.relu) {
    z = relu_times(z, VecOf<T>(p.scale));
  } else if (p.bits != nullptr) {
    z = z * VecOf<T>(p.scale);
  }
  if (p.bits != nullptr) {
    const std::size_t bit = p.first_bit + row * p.bits_per_row + out;
    z = select_bits(load_bits(p.bits, bit, n), z);
  }
  T* y = p.y + row * p.ld_y + out;
  if (n == lanes) {
    store(y, z);
  } else {
    store_first(y, z, n);
  }
}

// A block of the forward product holds outputs x examples: it is transposed on the way.
template <class T>
void finish_forward(const ForwardProduct<T>& p, const T* block, std::size_t ld, std::size_t out,
                    std::size_t outs, std::size_t row, std::size_t rows) {
  constexpr std::size_t lanes = lanes_of<T>;
  for (std::size_t o = 0; o < outs; o += lanes) {
    const std::size_t n = smaller(lanes, outs - o);
    const VecOf<T> bias = p.bias != nullptr ? load_first(p.bias + out + o, n) : VecOf<T>(T{0});
    for (std::size_t r = 0; r < rows; r += lanes) {
      VecOf<T> examples[lanes];
      load_transposed(n, lanes, block + o * ld + r, ld, examples);
      const std::size_t count = smaller(lanes, rows - r);
      for (std::size_t i = 0; i < count; ++i) {
        finish_outputs(p, row + r + i, out + o, n, examples[i], bias);
      }
    }
  }
}

template <class T>
void finish_backward_input(const BackwardInputProduct<T>& p, const T* block, std::size_t ld,
                           std::size_t in, std::size_t ins) {
  constexpr std::size_t lanes = lanes_of<T>;
  const VecOf<T> scale(p.scale);
  for (std::size_t r = 0; r < p.batch; ++r, block += ld) {
    for (std::size_t i = 0; i < ins; i += lanes) {
      const std::size_t n = smaller(lanes, ins - i);
      VecOf<T> v = load(block + i);
      if (p.stored != nullptr) {
        const T* stored = p.stored + r * p.ld_stored + in + i;
        v = select_gt_zero(n == lanes ? load(stored) : load_first(stored, n), v * scale);
      }
      T* dx = p.dx + r * p.ld_dx + in + i;
      if (n == lanes) {
        store(dx, v);
      } else {
        store_first(dx, v, n);
      }
    }
  }
}

// Gradients of n neighbouring weights from their sums, which are overwritten.
template <class T>
void use_gradients(const BackwardWeightsProduct<T>& p, const GradientUse<T>& use,
                   std::size_t offset, T* sums, std::size_t n) {
  constexpr std::size_t lanes = lanes_of<T>;
  const VecOf<T> alpha(p.alpha);
  T* target = use.target + offset;
  for (std::size_t i = 0; i < n; i += lanes) {
    const VecOf<T> gradient = alpha * load(sums + i);
    const std::size_t count = smaller(lanes, n - i);
    if (use.update == Update::store) {
      store_first(target + i, gradient, count);
    } else if (use.update == Update::add) {
      store_first(target + i, load_first(target + i, count) + gradient, count);
    } else {
      store(sums + i, gradient);
    }
  }
  if constexpr (sizeof(T) == sizeof(float)) {
    if (use.update == Update::sgd) {
      sgd_f32(p.sgd, n, sums, target, use.first == nullptr ? nullptr : use.first + offset);
    } else if (use.update == Update::adam) {
      adam_f32(p.adam, n, sums, target, use.first + offset, use.second + offset);
    }
  }
}

template <class T>
void finish_weights(const BackwardWeightsProduct<T>& p, T* block, std::size_t ld, std::size_t out,
                    std::size_t outs, std::size_t in, std::size_t ins) {
  for (std::size_t o = 0; o < outs; ++o) {
    use_gradients(p, p.weights, (out + o) * p.weights.ld + in, block + o * ld, ins);
  }
}
