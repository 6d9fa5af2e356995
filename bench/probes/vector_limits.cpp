#include "probes/vector_limits.h"

namespace simdrop::bench {

const IsaLimits* isa_limits(Isa isa) {
  switch (isa) {
#if defined(SIMDROP_HAVE_NEON)
    case Isa::neon:
      return &limits_table_neon();
#endif
#if defined(SIMDROP_HAVE_AVX2)
    case Isa::avx2:
      return &limits_table_avx2();
#endif
#if defined(SIMDROP_HAVE_AVX512)
    case Isa::avx512:
      return &limits_table_avx512();
#endif
    default:
      return nullptr;
  }
}

}  // namespace simdrop::bench
