// The three products of a linear layer, for the range that one thread computes. What is large, the
// weights, is read once, and a piece of it at a time is copied to where it stays in L1; what is
// small, a block of the batch, is packed and stays in L2. Included inside an anonymous namespace.

// Outputs that are finished together: some micro-tiles, and whole vectors of the transposition.
template <class T>
constexpr std::size_t strip_rows = tile_strip_vectors* lanes_of<T>;
// Inputs whose gradients are finished together: whole panels, of about a kilobyte in a row.
template <class T>
constexpr std::size_t gradient_block = 1024 / sizeof(T) / nr_of<T>* nr_of<T>;

template <class T>
constexpr std::size_t round_up_to(std::size_t n, std::size_t unit) {
  return (n + unit - 1) / unit * unit;
}

template <class T>
std::size_t scratch_size(std::size_t rows, std::size_t k, std::size_t batch) {
  const std::size_t forward =
      strip_rows<T> * round_up_to<T>(rows, nr_of<T>) + tile_mr * row_stride<T>;
  const std::size_t input = (rows + smaller(k, k_block)) * nr_of<T>;
  const std::size_t weights =
      (gradient_block<T> + batch) * tile_mr + round_up_to<T>(tile_mr, lanes_of<T>);
  const std::size_t most = forward > input ? forward : input;
  return round_up_to<T>(most > weights ? most : weights, 64 / sizeof(T));
}

template <class T>
inline void copy_rows(std::size_t rows, std::size_t k, const T* src, std::size_t ld, T* copy) {
  constexpr std::size_t lanes = lanes_of<T>;
  for (std::size_t i = 0; i < rows; ++i, src += ld, copy += row_stride<T>) {
    std::size_t p = 0;
    for (; p + lanes <= k; p += lanes) store(copy + p, load(src + p));
    for (; p < k; ++p) copy[p] = src[p];
  }
}

template <class T>
void forward_product(const ForwardProduct<T>& p) {
  constexpr std::size_t nr = nr_of<T>;
  const std::size_t ld = round_up_to<T>(p.batch, nr);
  T* block = p.scratch;
  T* copy = block + strip_rows<T> * ld;
  for (std::size_t out = 0; out < p.outs; out += strip_rows<T>) {
    const std::size_t outs = smaller(strip_rows<T>, p.outs - out);
    const EvenSplit tiles(outs, tile_mr);
    for (std::size_t t = 0; t < tiles.parts; ++t) {
      const std::size_t m = tiles.size(t);
      const T* w = p.w + (out + tiles.begin(t)) * p.ld_w;
      T* c = block + tiles.begin(t) * ld;
      for (std::size_t q = 0; q == 0 || q < p.k; q += k_block) {
        const std::size_t k = smaller(k_block, p.k - q);
        copy_rows(m, k, w + q, p.ld_w, copy);
        for (std::size_t r = 0; r < p.batch; r += nr) {
          call_micro<T, true, tile_mr, tile_nv>(m, p.batch - r, k, copy, p.x + r * p.k + q * nr,
                                                c + r, ld, q != 0);
        }
      }
    }
    if (p.bits != nullptr) {
      finish_forward<T, true>(p, block, ld, out, outs);
    } else {
      finish_forward<T, false>(p, block, ld, out, outs);
    }
  }
}

template <class T>
void backward_input_product(const BackwardInputProduct<T>& p) {
  constexpr std::size_t nr = nr_of<T>;
  const EvenSplit tiles(p.batch, tile_mr);
  T* block = p.scratch;
  T* panel = block + p.batch * nr;
  for (std::size_t in = 0; in < p.ins; in += nr) {
    const std::size_t n = smaller(nr, p.ins - in);
    for (std::size_t q = 0; q == 0 || q < p.k; q += k_block) {
      const std::size_t k = smaller(k_block, p.k - q);
      pack_cols(n, k, p.w + q * p.ld_w + in, p.ld_w, nr, panel);
      for (std::size_t t = 0; t < tiles.parts; ++t) {
        const std::size_t first = tiles.begin(t);
        const std::size_t m = tiles.size(t);
        call_micro<T, false, tile_mr, tile_nv>(m, n, k, p.dy + first * p.k + q * m, panel,
                                               block + first * nr, nr, q != 0);
      }
    }
    finish_backward_input(p, block, nr, in, n);
  }
}

// Sums of the columns of a panel, examples in order.
template <class T>
void bias_gradients(const BackwardWeightsProduct<T>& p, std::size_t out, std::size_t m,
                    const T* panel, T* sums) {
  constexpr std::size_t lanes = lanes_of<T>;
  for (std::size_t i = 0; i < m; i += lanes) {
    const std::size_t n = smaller(lanes, m - i);
    VecOf<T> sum(T{0});
    const T* from = panel + i;
    for (std::size_t r = 0; r < p.batch; ++r, from += m) sum = sum + load_first(from, n);
    store(sums + i, sum);
  }
  use_gradients(p, p.bias, out, sums, m);
}

template <class T>
void backward_weights_product(const BackwardWeightsProduct<T>& p) {
  constexpr std::size_t nr = nr_of<T>;
  constexpr std::size_t ld = gradient_block<T>;
  const EvenSplit tiles(p.outs, tile_mr);
  T* block = p.scratch;
  T* sums = block + tile_mr * ld;
  T* packed = sums + round_up_to<T>(tile_mr, lanes_of<T>);
  for (std::size_t t = 0; t < tiles.parts; ++t) {
    const std::size_t out = tiles.begin(t);
    const std::size_t m = tiles.size(t);
    // A single tile without padding between its rows is a panel already.
    const bool is_panel = m == p.ld_dy;
    if (!is_panel) pack_cols(m, p.batch, p.dy + out, p.ld_dy, m, packed);
    const T* panel = is_panel ? p.dy : packed;
    if (p.bias.target != nullptr) bias_gradients(p, out, m, panel, sums);
    for (std::size_t in = 0; in < p.ins; in += ld) {
      const std::size_t ins = smaller(ld, p.ins - in);
      for (std::size_t q = 0; q == 0 || q < p.batch; q += k_block) {
        const std::size_t k = smaller(k_block, p.batch - q);
        for (std::size_t i = 0; i < ins; i += nr) {
          call_micro<T, false, tile_mr, tile_nv>(m, ins - i, k, panel + q * m,
                                                 p.x + (in + i) * p.batch + q * nr, block + i, ld,
                                                 q != 0);
        }
      }
      finish_weights(p, block, ld, out, m, in, ins);
    }
    if constexpr (sizeof(T) == sizeof(float)) {
      if (p.max_norm != 0.0) {
        limit_norms_f32(p.max_norm, m, p.ins, p.weights.target + out * p.weights.ld);
      }
    }
  }
}

template <class T>
constexpr ProductKernels<T> product_kernels() {
  return {.mr = tile_mr,
          .nr = nr_of<T>,
          .unit = lanes_of<T>,
          .pack_rows = pack_rows<T>,
          .pack_cols = pack_cols<T>,
          .scratch_size = scratch_size<T>,
          .forward = forward_product<T>,
          .backward_input = backward_input_product<T>,
          .backward_weights = backward_weights_product<T>};
}
