# The instruction sets beside scalar that this target platform has, and the flags of each.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$")
  set(isas avx2 avx512)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64|ARM64)$")
  set(isas neon)
else()
  set(isas)
endif()
set(flags_avx2 -mavx2 -mfma -mf16c)
set(flags_avx512 -mavx512f -mavx512cd -mavx512dq -mavx512bw -mfma)
set(flags_neon)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC bug 105593: its own AVX-512 header passes undefined vectors on purpose.
  list(APPEND flags_avx512 -Wno-uninitialized -Wno-maybe-uninitialized)
endif()
# Not seen by callers of the functions below unless they are cached.
set(SIMDROP_ISAS ${isas} CACHE INTERNAL "instruction sets compiled beside scalar")
foreach(isa IN LISTS isas)
  set(SIMDROP_FLAGS_${isa} ${flags_${isa}} CACHE INTERNAL "flags of ${isa}")
endforeach()

if(SIMDROP_ISAS)
  simdrop_header_only(simdrop_xsimd xsimd/xsimd.hpp SIMDROP_XSIMD_INCLUDE_DIR)
endif()

# simdrop_isa_object(OBJECT ISA SOURCES...): compiles SOURCES for one instruction set, with its own flags
# and with the namespace xsimd renamed: xsimd's functions are weak inline symbols, and the linker
# could otherwise keep the AVX-512 copy of one and run it on a CPU that has only AVX2. Kernels never
# throw; without exceptions clang emits no weak __clang_call_terminate either.
#
# GCC's -O3 makes these objects nearly twice as large as -O2 with the loops peeled and, measured over
# all kernels, no faster.
function(simdrop_isa_object object isa)
  string(TOUPPER ${isa} upper)
  add_library(${object} OBJECT ${ARGN})
  target_compile_options(${object} PRIVATE ${SIMDROP_FLAGS_${isa}} -fno-lto -fno-math-errno
                                           -fno-exceptions
    $<$<AND:$<CXX_COMPILER_ID:GNU>,$<CONFIG:Release>>:-O2;-fpeel-loops>
                                           # Notes that GCC 10 passes structs of vectors otherwise:
                                           # none leaves its object.
                                           $<$<CXX_COMPILER_ID:GNU>:-Wno-psabi>)
  target_compile_definitions(${object} PRIVATE xsimd=xsimd_${isa} SIMDROP_ISA_${upper})
  target_include_directories(${object} PRIVATE ${PROJECT_SOURCE_DIR}/include
                                               ${PROJECT_SOURCE_DIR}/src
                                               ${PROJECT_SOURCE_DIR}/bench)
  target_link_libraries(${object} PRIVATE simdrop_xsimd simdrop_options)
endfunction()

# simdrop_isa_sources(TARGET NAME SOURCES...): adds SOURCES to TARGET once for each instruction set
# beside scalar, as object libraries NAME_<isa>, and tells TARGET by SIMDROP_HAVE_<ISA> which there
# are. (An object library does not hand on objects: its users add them.)
function(simdrop_isa_sources target name)
  foreach(isa IN LISTS SIMDROP_ISAS)
    string(TOUPPER ${isa} upper)
    simdrop_isa_object(${name}_${isa} ${isa} ${ARGN})
    get_target_property(type ${target} TYPE)
    if(NOT type STREQUAL "OBJECT_LIBRARY")  # which would hand them on to some and not to others
      target_sources(${target} PRIVATE $<TARGET_OBJECTS:${name}_${isa}>)
    endif()
    target_compile_definitions(${target} PRIVATE SIMDROP_HAVE_${upper})
  endforeach()
endfunction()
