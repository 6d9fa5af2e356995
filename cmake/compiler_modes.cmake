# The compiler's modes that results rest on, whatever a parent project or a user has put into
# CMAKE_CXX_FLAGS: options of a target come later on the command line, and the last one counts.
# src/base/compiler_modes.h refuses what comes later still; include/simdrop/SUPPORT.md says what of.
include(CheckCXXCompilerFlag)
# clang says what it takes back of -ffp-model, in a warning that was renamed in clang 18.
check_cxx_compiler_flag(-Woverriding-option SIMDROP_HAVE_WOVERRIDING_OPTION)

# simdrop_pin_modes(TARGET SCOPE): compiles what has TARGET's options of SCOPE in those modes.
function(simdrop_pin_modes target scope)
  # Elementwise kernels must agree bit for bit on every instruction set: no contraction to FMA.
  # GCC's -fno-fast-math takes back -ffast-math and -Ofast alone, so each part is named too.
  set(arithmetic
    -fno-fast-math -fno-finite-math-only -fno-associative-math -fno-reciprocal-math -fsigned-zeros
    -fno-rounding-math -ffp-contract=off)
  # GCC 13 and newer would compute floats in double where a CPU's ABI says so (s390x).
  set(gcc
    -fno-unsafe-math-optimizations -ftrapping-math -fno-signaling-nans -fno-cx-limited-range
    -fno-single-precision-constant -fexcess-precision=fast)
  set(clang -fno-approx-func -fdenormal-fp-math=ieee)
  if(SIMDROP_HAVE_WOVERRIDING_OPTION)
    list(APPEND clang -Wno-overriding-option)
  else()
    list(APPEND clang -Wno-overriding-t-option)
  endif()
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$")
    list(APPEND gcc -mfpmath=sse)
  endif()
  # Link time optimisation is not for code of several instruction sets in one program.
  target_compile_options(${target} ${scope} ${arithmetic} -fno-lto
    $<$<CXX_COMPILER_ID:GNU>:${gcc}> $<$<CXX_COMPILER_ID:Clang,AppleClang>:${clang}>)
endfunction()
