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

// Of vectors of one element, bit 0 is the mask.
using VecF = float;
constexpr std::size_t lanes_f32 = 1;
inline VecF compress(std::uint64_t, VecF v) {
  return v;
}
inline VecF expand(std::uint64_t bits, VecF v) {
  return select_bits(bits, v);
}

struct SomeLanes {
  std::uint64_t bits;
};
// An optimiser's step as the products call it; optimizer_simd.h says how.
template <class Elements>
struct ScalarUpdate {
  Elements elements;

  void vector(std::size_t i, VecF g) const { elements(i, 1, &g); }
  void vector(std::size_t i, VecF g, SomeLanes some) const {
    if ((some.bits & 1) != 0) elements(i, 1, &g);
  }
};
template <class Body>
inline void with_sgd_update(const SgdParams& params, float* weights, float* momentum, Body body) {
  const auto elements = [&](std::size_t i, std::size_t n, const float* g) {
    sgd_elements(params, 0, n, g, weights + i, momentum == nullptr ? nullptr : momentum + i);
  };
  body(ScalarUpdate<decltype(elements)>{elements});
}
template <class Body>
inline void with_adam_update(const AdamParams& params, float* weights, float* first, float* second,
                             Body body) {
  const auto elements = [&](std::size_t i, std::size_t n, const float* g) {
    adam_elements(params, 0, n, g, weights + i, first + i, second + i);
  };
  body(ScalarUpdate<decltype(elements)>{elements});
}
