#include "probes/vector_limits.h"

namespace simdrop::bench {

const IsaLimits* isa_limits(Isa isa) {
  switch (isa) {
#if defined(SIMDROP_HAVE_NEON)
    case Isa::neon:
      return &neon::vector_limits();
#endif
#if defined(SIMDROP_HAVE_AVX2)
    case Isa::avx2:
      return &avx2::vector_limits();
#endif
#if defined(SIMDROP_HAVE_AVX512)
    case Isa::avx512:
      return &avx512::vector_limits();
#endif
    default:
      return nullptr;
  }
}

}  // namespace simdrop::bench
