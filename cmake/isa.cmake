# The instruction sets beside scalar that this target platform has, the flags of each, and which of
# them are compiled.
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

# simdrop_runs_isa(RESULT ISA): whether this CPU has it; an emulator has what the platform has.
include(CheckCXXSourceRuns)
function(simdrop_runs_isa result isa)
  if(CMAKE_CROSSCOMPILING OR NOT isa MATCHES "^avx")
    set(${result} TRUE PARENT_SCOPE)
    return()
  endif()
  set(features_avx2 avx2 fma)
  set(features_avx512 avx512f avx512cd avx512dq avx512bw fma)
  list(TRANSFORM features_${isa} REPLACE "(.+)" "__builtin_cpu_supports(\"\\1\")")
  list(JOIN features_${isa} " && " has_all)
  set(CMAKE_REQUIRED_QUIET TRUE)
  check_cxx_source_runs("int main() { return ${has_all} ? 0 : 1; }" SIMDROP_CPU_RUNS_${isa})
  set(${result} ${SIMDROP_CPU_RUNS_${isa}} PARENT_SCOPE)
endfunction()

if(SIMDROP_TABLES STREQUAL "native")
  foreach(isa IN LISTS isas)
    simdrop_runs_isa(runs ${isa})
    if(NOT runs)
      list(REMOVE_ITEM isas ${isa})
      message(STATUS "simdrop: without the table ${isa}, which this CPU cannot run")
    endif()
  endforeach()
elseif(SIMDROP_TABLES STREQUAL "none")
  set(isas)
elseif(NOT SIMDROP_TABLES STREQUAL "all")
  foreach(isa IN LISTS SIMDROP_TABLES)
    if(NOT isa IN_LIST isas)
      message(FATAL_ERROR "simdrop: SIMDROP_TABLES names ${isa}; it takes all, native, none, or a "
                          "list of what this platform has: ${isas}")
    endif()
  endforeach()
  set(isas ${SIMDROP_TABLES})
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
  set_target_properties(${object} PROPERTIES UNITY_BUILD OFF INTERPROCEDURAL_OPTIMIZATION OFF)
  target_compile_options(${object} PRIVATE ${SIMDROP_FLAGS_${isa}} -fno-math-errno
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
