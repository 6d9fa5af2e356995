// What the products need of an instruction set, where a vector is one element.
// Included inside an anonymous namespace.

constexpr std::size_t tile_mr = 4;
constexpr std::size_t tile_nv = 8;
constexpr std::size_t tile_strip_vectors = 16;

template <class T>
struct Lanes {
  using Vec = T;
  static constexpr std::size_t count = 1;
};

// Volatile, or GCC 12 joins the elements of a row with some of the next row, and reads beyond the
// last one.
template <class T>
T load_one(const T* p) {
  return *static_cast<const volatile T*>(p);
}
template <class T>
T load(const T* p) {
  return *p;
}
template <class T>
T load_first(const T* p, std::size_t) {
  return *p;
}
template <class T>
void store(T* p, T v) {
  *p = v;
}
template <class T>
void store_first(T* p, T v, std::size_t) {
  *p = v;
}
template <class T>
T mul_add(T a, T b, T c) {
  return a * b + c;
}
template <class T>
T relu_times(T z, T factor) {
  return z <= 0 ? T{0} : z * factor;
}
template <class T>
T select_gt_zero(T y, T v) {
  return y > 0 ? v : T{0};
}
template <class T>
T select_bits(std::uint64_t bits, T v) {
  return (bits & 1) != 0 ? v : T{0};
}
template <class T>
void transpose(T*) {}

inline void sgd_tile(const SgdParams& params, const SumTile& tile, float* weights,
                     float* momentum) {
  for (std::size_t r = 0; r < tile.rows; ++r, weights += tile.ld) {
    float* sums = tile.sums + r * tile.ld_sums;
    for (std::size_t i = 0; i < tile.cols; ++i) sums[i] *= tile.factor;
    float* state = momentum == nullptr ? nullptr : momentum + r * tile.ld;
    sgd_elements(params, 0, tile.cols, sums, weights, state);
  }
}
inline void adam_tile(const AdamParams& params, const SumTile& tile, float* weights, float* first,
                      float* second) {
  for (std::size_t r = 0; r < tile.rows; ++r, weights += tile.ld) {
    float* sums = tile.sums + r * tile.ld_sums;
    for (std::size_t i = 0; i < tile.cols; ++i) sums[i] *= tile.factor;
    adam_elements(params, 0, tile.cols, sums, weights, first + r * tile.ld, second + r * tile.ld);
  }
}
