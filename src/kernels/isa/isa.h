// The operations of vector.h for the instruction set that a file is compiled for.
#pragma once

#include "kernels/isa/basics.h"
#include "kernels/isa/types.h"
#include "kernels/isa/vector.h"

#if defined(SIMDROP_ISA_SCALAR)
#include "kernels/isa/scalar.h"
#else
#if defined(SIMDROP_ISA_AVX512)
#include "kernels/isa/avx512.h"
#elif defined(SIMDROP_ISA_AVX2)
#include "kernels/isa/avx2.h"
#else
#include "kernels/isa/neon.h"
#endif
#include "kernels/isa/xsimd.h"
#endif
