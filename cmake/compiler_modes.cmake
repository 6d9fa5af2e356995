# The compiler's modes that results rest on, whatever a parent project or a user has put into
# CMAKE_CXX_FLAGS: options of a target come later on the command line, and the last one counts.
#
# simdrop_pin_modes(TARGET SCOPE): compiles what has TARGET's options of SCOPE in those modes.
function(simdrop_pin_modes target scope)
  # Elementwise kernels must agree bit for bit on every instruction set: no contraction to FMA.
  # GCC's -fno-fast-math takes back -ffast-math and -Ofast alone, so each part is named too.
  set(arithmetic
    -fno-fast-math -fno-finite-math-only -fno-associative-math -fno-reciprocal-math -fsigned-zeros
    -fno-rounding-math -ffp-contract=off)
  set(gcc
    -fno-unsafe-math-optimizations -ftrapping-math -fno-signaling-nans -fno-cx-limited-range
    -fno-single-precision-constant)
  set(clang -fno-approx-func -fdenormal-fp-math=ieee -Wno-overriding-t-option)
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$")
    list(APPEND gcc -mfpmath=sse)
  endif()
  # Link time optimisation is not for code of several instruction sets in one program.
  target_compile_options(${target} ${scope} ${arithmetic} -fno-lto
    $<$<CXX_COMPILER_ID:GNU>:${gcc}> $<$<CXX_COMPILER_ID:Clang,AppleClang>:${clang}>)
endfunction()
