/// @file
/// The instruction sets that simdrop is compiled for, and the one that it uses.
#pragma once

#include <span>
#include <string>

#include "simdrop/api.h"
#include "simdrop/requirements.hpp"

namespace simdrop {

/// `scalar` is plain C++ and runs everywhere; `avx2` means AVX2 + FMA + F16C; `avx512` means
/// AVX-512 F, CD, DQ and BW; `neon` means AArch64 Advanced SIMD.
enum class Isa {
  scalar,  ///< any CPU
  neon,    ///< AArch64
  avx2,    ///< x86-64
  avx512   ///< x86-64
};

/// One instruction set.
struct IsaInfo {
  Isa isa;           ///< which
  const char* name;  ///< "scalar", "neon", "avx2" or "avx512"; static storage
  bool compiled;     ///< this build contains its kernels
  bool supported;    ///< this CPU and operating system can run it (CPUID and XGETBV)
};

/// Every instruction set that simdrop knows, slowest first. Thread-safe, never throws.
[[nodiscard]] SIMDROP_API std::span<const IsaInfo> isa_list() noexcept;

/// The instruction set whose kernels run: the last one of isa_list() that is compiled and
/// supported, or the one that the environment variable SIMDROP_FORCE_ISA (if not empty) names when
/// the first kernel runs. Chosen once per process, thread-safe. Throws std::runtime_error, naming
/// the variable, its value and what is allowed, when SIMDROP_FORCE_ISA names an instruction set
/// that is unknown, not compiled or not supported; every kernel call then throws it too.
[[nodiscard]] SIMDROP_API Isa active_isa();

/// The name of `isa` as in isa_list(). Never throws.
[[nodiscard]] SIMDROP_API const char* isa_name(Isa isa) noexcept;

/// The CPU's own name for itself (x86 brand string), or "unknown". May allocate.
[[nodiscard]] SIMDROP_API std::string cpu_name();

}  // namespace simdrop
