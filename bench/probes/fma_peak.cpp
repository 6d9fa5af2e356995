#include "probes/fma_peak.h"

#include "simdrop/isa.hpp"

namespace simdrop::bench {

FmaLoops fma_loops() {
  switch (active_isa()) {
#if defined(SIMDROP_HAVE_NEON)
    case Isa::neon:
      return fma_loops_neon();
#endif
#if defined(SIMDROP_HAVE_AVX2)
    case Isa::avx2:
      return fma_loops_avx2();
#endif
#if defined(SIMDROP_HAVE_AVX512)
    case Isa::avx512:
      return fma_loops_avx512();
#endif
    default:
      return {};
  }
}

}  // namespace simdrop::bench
