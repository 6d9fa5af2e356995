#include "probes/fma_peak.h"

#include "simdrop/isa.hpp"

namespace simdrop::bench {

FmaLoops fma_loops() {
  switch (active_isa()) {
#if defined(SIMDROP_HAVE_NEON)
    case Isa::neon:
      return neon::fma_loops();
#endif
#if defined(SIMDROP_HAVE_AVX2)
    case Isa::avx2:
      return avx2::fma_loops();
#endif
#if defined(SIMDROP_HAVE_AVX512)
    case Isa::avx512:
      return avx512::fma_loops();
#endif
    default:
      return {};
  }
}

}  // namespace simdrop::bench
