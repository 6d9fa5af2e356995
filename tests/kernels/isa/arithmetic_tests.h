// Tests of the operations that calculate with floats and doubles.
#pragma once

#include <cstddef>

#include "kernels/isa/isa.h"
#include "rows.h"

namespace simdrop::detail {
namespace {

inline float fused(float a, float b, float c) {
  return __builtin_fmaf(a, b, c);
}
inline double fused(double a, double b, double c) {
  return __builtin_fma(a, b, c);
}

// (1 + u)^2 - (1 + 2 u) is u^2, or 0 where the product is rounded by itself.
template <class T>
const char* test_mul_add_rounds_once(T u) {
  RowOf<T> a, c, want;
  for (std::size_t i = 0; i < lanes_of<T>; ++i) {
    a.lane[i] = 1 + u;
    c.lane[i] = -(1 + 2 * u);
#if defined(SIMDROP_ISA_SCALAR)
    want.lane[i] = 0;
#else
    want.lane[i] = u * u;
#endif
  }
  SIMDROP_EXPECT(same(row(mul_add(vec(a), vec(a), vec(c))), want));
  return nullptr;
}

template <class T>
const char* test_mul_add() {
  Random random;
  for (int i = 0; i < many; ++i) {
    const auto a = any<RowOf<T>>(random);
    const auto b = any<RowOf<T>>(random);
    const auto c = any<RowOf<T>>(random);
    RowOf<T> want;
    for (std::size_t lane = 0; lane < lanes_of<T>; ++lane) {
#if defined(SIMDROP_ISA_SCALAR)
      const T product = a.lane[lane] * b.lane[lane];
      want.lane[lane] = product + c.lane[lane];
#else
      want.lane[lane] = fused(a.lane[lane], b.lane[lane], c.lane[lane]);
#endif
    }
    SIMDROP_EXPECT(same_values(row(mul_add(vec(a), vec(b), vec(c))), want));
  }
  return test_mul_add_rounds_once<T>(sizeof(T) == sizeof(float) ? T{0x1p-12F} : T{0x1p-27F});
}

template <class T>
const char* test_relu_times() {
  Random random;
  const T factors[] = {T{1}, T{2}, T(1) / T(0.7), T{0x1p-20F}, T{1e30F}};
  for (const T factor : factors) {
    RowOf<T> times;
    for (T& lane : times.lane) lane = factor;
    for (int i = 0; i < many; ++i) {
      const auto z = any<RowOf<T>>(random);
      RowOf<T> want;
      for (std::size_t lane = 0; lane < lanes_of<T>; ++lane) {
        want.lane[lane] = z.lane[lane] <= 0 ? T{0} : z.lane[lane] * factor;
      }
      SIMDROP_EXPECT(same_values(row(relu_times(vec(z), vec(times))), want));
    }
  }
  return nullptr;
}

template <class T>
const char* test_select_gt_zero() {
  Random random;
  for (int i = 0; i < many; ++i) {
    const auto y = any<RowOf<T>>(random);
    const auto v = any<RowOf<T>>(random);
    RowOf<T> want{};
    for (std::size_t lane = 0; lane < lanes_of<T>; ++lane) {
      if (y.lane[lane] > 0) want.lane[lane] = v.lane[lane];
    }
    SIMDROP_EXPECT(same(row(select_gt_zero(vec(y), vec(v))), want));
  }
  return nullptr;
}

// A double has more than twice a float's digits and so a quotient or root that is rounded to it
// first rounds to the same float (Figueroa, SIGNUM Newsletter 30 (3), 1995).
inline const char* test_divide() {
  Random random;
  for (int i = 0; i < 10 * many; ++i) {
    const auto a = any<RowF>(random);
    const auto b = any<RowF>(random);
    RowF want;
    for (std::size_t lane = 0; lane < lanes_f32; ++lane) {
      want.lane[lane] =
          static_cast<float>(static_cast<double>(a.lane[lane]) / static_cast<double>(b.lane[lane]));
    }
    SIMDROP_EXPECT(same_values(row(divide(vec(a), vec(b))), want));
  }
  return nullptr;
}

inline const char* test_square_root() {
  Random random;
  for (int i = 0; i < 10 * many; ++i) {
    const auto a = any<RowF>(random);
    RowF want;
    for (std::size_t lane = 0; lane < lanes_f32; ++lane) {
      want.lane[lane] = static_cast<float>(__builtin_sqrt(static_cast<double>(a.lane[lane])));
    }
    SIMDROP_EXPECT(same_values(row(square_root(vec(a))), want));
  }
  return nullptr;
}

#if !defined(SIMDROP_ISA_SCALAR)
// NaNs aside, and the sign of a zero.
inline const char* test_max_of_lanes() {
  Random random;
  constexpr float lowest = -__builtin_inff();
  for (int i = 0; i < many; ++i) {
    auto v = any<RowF>(random);
    for (float& lane : v.lane) lane = lane == lane ? lane : lowest;
    if (i % 2 == 0) {  // every lane has to be the only positive one
      for (float& lane : v.lane) lane = lane > 0 ? -lane : lane;
      v.lane[static_cast<std::size_t>(i / 2) % lanes_f32] = 0.5F;
    }
    float want = lowest;
    for (const float lane : v.lane) want = lane > want ? lane : want;
    SIMDROP_EXPECT(max_of_lanes(vec(v)) == want);
  }
  return nullptr;
}

template <VecD (*widen)(VecF), std::size_t from>
const char* test_widen() {
  Random random;
  for (int i = 0; i < many; ++i) {
    const auto v = any<RowF>(random);
    RowD want;
    for (std::size_t lane = 0; lane < lanes_f64; ++lane) {
      want.lane[lane] = static_cast<double>(v.lane[from + lane]);
    }
    SIMDROP_EXPECT(same_values(row(widen(vec(v))), want));
  }
  return nullptr;
}

inline const char* test_narrow_f64() {
  Random random;
  for (int i = 0; i < many; ++i) {
    const auto low = any<RowD>(random);
    const auto high = any<RowD>(random);
    RowF want;
    for (std::size_t lane = 0; lane < lanes_f64; ++lane) {
      want.lane[lane] = static_cast<float>(low.lane[lane]);
      want.lane[lanes_f64 + lane] = static_cast<float>(high.lane[lane]);
    }
    SIMDROP_EXPECT(same_values(row(narrow_f64(vec(low), vec(high))), want));
  }
  return nullptr;
}

inline float sum_of_lanes(const RowF& v) {
  float sums[lanes_f32 / 4];
  for (std::size_t i = 0; i < lanes_f32 / 4; ++i) {
    const float* four = v.lane + 4 * i;
#if defined(SIMDROP_ISA_NEON)
    sums[i] = (four[0] + four[1]) + (four[2] + four[3]);
#else
    sums[i] = (four[0] + four[2]) + (four[1] + four[3]);
#endif
  }
  for (std::size_t half = lanes_f32 / 8; half > 0; half /= 2) {
    for (std::size_t i = 0; i < half; ++i) sums[i] += sums[i + half];
  }
  return sums[0];
}

inline const char* test_sum_lanes() {
  Random random;
  for (int i = 0; i < many; ++i) {
    RowF v[4];
    RowOfQuad want;
    for (std::size_t k = 0; k < 4; ++k) {
      v[k] = any<RowF>(random);
      if (i % 2 == 0) {  // no NaN, and all lanes matter
        for (float& lane : v[k].lane) lane = static_cast<float>(random.next() >> 40) * 0x1p-20F;
      }
      want.lane[k] = sum_of_lanes(v[k]);
    }
    SIMDROP_EXPECT(same_values(row(sum_lanes(vec(v[0]), vec(v[1]), vec(v[2]), vec(v[3]))), want));
  }
  return nullptr;
}

inline const char* test_add_quads() {
  Random random;
  for (int i = 0; i < many; ++i) {
    const auto a = any<RowOfQuad>(random);
    const auto b = any<RowOfQuad>(random);
    RowOfQuad want;
    for (std::size_t lane = 0; lane < 4; ++lane) want.lane[lane] = a.lane[lane] + b.lane[lane];
    SIMDROP_EXPECT(same_values(row(add(quad(a), quad(b))), want));
  }
  return nullptr;
}

inline const char* test_relu_of_quad() {
  Random random;
  for (int i = 0; i < many; ++i) {
    const auto v = any<RowOfQuad>(random);
    RowOfQuad want = v;
    for (float& lane : want.lane) lane = lane <= 0 ? 0.0F : lane;
    SIMDROP_EXPECT(same_values(row(relu(quad(v))), want));
  }
  return nullptr;
}
#endif

}  // namespace
}  // namespace simdrop::detail
