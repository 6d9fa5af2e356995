#include "probes/multiply.h"

namespace simdrop::bench {
namespace {

template <class T>
void multiply(T scale, const T* x, T* y, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) y[i] = x[i] * scale;
}

}  // namespace

MultiplyLoops multiply_loops(Isa isa) {
  switch (isa) {
#if defined(SIMDROP_HAVE_NEON)
    case Isa::neon:
      return neon::multiply_loops();
#endif
#if defined(SIMDROP_HAVE_AVX2)
    case Isa::avx2:
      return avx2::multiply_loops();
#endif
#if defined(SIMDROP_HAVE_AVX512)
    case Isa::avx512:
      return avx512::multiply_loops();
#endif
    default:
      return {multiply<float>, multiply<double>};
  }
}

}  // namespace simdrop::bench
