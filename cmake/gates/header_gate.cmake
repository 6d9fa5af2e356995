# Tests that every header of src and include compiles by itself, and twice in one file: a generated
# source a header does so. They are built by the test alone, which is quick where nothing changed.
# It takes a while: builds for developers have it, but for cross builds and sanitizers,
# which would find nothing else. Warnings are for the sources that include a header.
if(NOT SIMDROP_WERROR OR CMAKE_CROSSCOMPILING OR CMAKE_CXX_FLAGS MATCHES "-fsanitize")
  return()
endif()

# simdrop_header_sources(RESULT LANGUAGE HEADERS...): sources that include one header each. LANGUAGE
# is the suffix of their names.
function(simdrop_header_sources result language)
  set(sources)
  foreach(header IN LISTS ARGN)
    file(RELATIVE_PATH path ${PROJECT_SOURCE_DIR} ${header})
    set(source ${PROJECT_BINARY_DIR}/header_checks/${path}.${language})
    file(CONFIGURE OUTPUT ${source} CONTENT "#include \"${header}\"\n#include \"${header}\"\n")
    list(APPEND sources ${source})
  endforeach()
  set(${result} ${sources} PARENT_SCOPE)
endfunction()

# simdrop_without_own_source(LIST): leaves out headers of src with #pragma once that a source of the
# same name includes first: that source is the test.
function(simdrop_without_own_source list)
  set(left)
  foreach(header IN LISTS ${list})
    string(REGEX REPLACE "\\.h$" ".cpp" source ${header})
    file(RELATIVE_PATH path ${PROJECT_SOURCE_DIR}/src ${header})
    file(STRINGS ${header} once REGEX "^#pragma once$")
    set(first_include)
    if(EXISTS ${source})
      file(STRINGS ${source} first_include REGEX "^#include" LIMIT_COUNT 1)
    endif()
    if(NOT once OR NOT first_include STREQUAL "#include \"${path}\"")
      list(APPEND left ${header})
    endif()
  endforeach()
  set(${list} ${left} PARENT_SCOPE)
endfunction()

# simdrop_check_headers(TARGET LANGUAGE HEADERS...)
function(simdrop_check_headers target language)
  simdrop_header_sources(sources ${language} ${ARGN})
  add_library(${target} OBJECT EXCLUDE_FROM_ALL ${sources})
  set_target_properties(${target} PROPERTIES EXPORT_COMPILE_COMMANDS OFF)
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/include
                                               ${PROJECT_SOURCE_DIR}/src)
  target_compile_options(${target} PRIVATE -O0 -w)
  target_link_libraries(${target} PRIVATE simdrop_options)
endfunction()

set(root ${PROJECT_SOURCE_DIR})
file(GLOB_RECURSE public_headers CONFIGURE_DEPENDS ${root}/include/*.h ${root}/include/*.hpp)
file(GLOB_RECURSE headers CONFIGURE_DEPENDS ${root}/src/*.h)
set(kernel_headers ${headers})
list(FILTER kernel_headers INCLUDE REGEX ^${root}/src/kernels/)
list(FILTER headers EXCLUDE REGEX ^${root}/src/kernels/)
if(NOT SIMDROP_BUILD_CLI)
  list(FILTER headers EXCLUDE REGEX ^${root}/src/cli/)
endif()
simdrop_without_own_source(headers)
# Of the kernels' headers X_vector.h and isa/xsimd.h need vectors, X_scalar.h is for scalar alone, and
# an instruction set has files of its own in isa; x86.h is of two.
set(of_one_isa [[/isa/(x86|avx2|avx512|neon)\.h$]])
set(of_vectors [[(_vector|/isa/xsimd)\.h$]])
set(of_scalar [[(_scalar|/isa/scalar)\.h$]])
set(scalar_headers ${kernel_headers})
list(FILTER scalar_headers EXCLUDE REGEX ${of_one_isa})
list(FILTER scalar_headers EXCLUDE REGEX ${of_vectors})

simdrop_check_headers(header_checks_cpp cpp ${public_headers} ${headers} ${scalar_headers})
target_include_directories(header_checks_cpp SYSTEM PRIVATE
  $<TARGET_PROPERTY:simdrop_json,INTERFACE_INCLUDE_DIRECTORIES>)

list(FILTER public_headers INCLUDE REGEX \\.h$)
simdrop_check_headers(header_checks_c c ${public_headers})
set_target_properties(header_checks_c PROPERTIES
  C_STANDARD 99 C_STANDARD_REQUIRED ON C_EXTENSIONS OFF)

add_custom_target(header_checks)
add_dependencies(header_checks header_checks_cpp header_checks_c)

# Those of the kernels once more for an instruction set with vectors; of others what differs.
set(first TRUE)
foreach(isa IN LISTS SIMDROP_ISAS)
  set(headers_of_isa ${kernel_headers})
  list(FILTER headers_of_isa EXCLUDE REGEX ${of_one_isa})
  list(FILTER headers_of_isa EXCLUDE REGEX ${of_scalar})
  if(NOT first)
    list(FILTER headers_of_isa INCLUDE REGEX /isa/)
  endif()
  set(first FALSE)
  list(APPEND headers_of_isa ${root}/src/kernels/isa/${isa}.h)
  if(isa MATCHES "^avx")
    list(APPEND headers_of_isa ${root}/src/kernels/isa/x86.h)
  endif()
  simdrop_header_sources(sources cpp ${headers_of_isa})
  simdrop_isa_object(header_checks_${isa} ${isa} ${sources})
  target_compile_options(header_checks_${isa} PRIVATE -O0 -w)
  target_precompile_headers(header_checks_${isa} PRIVATE <xsimd/xsimd.hpp>)  # parsed once
  set_target_properties(header_checks_${isa} PROPERTIES
    EXCLUDE_FROM_ALL TRUE EXPORT_COMPILE_COMMANDS OFF)
  add_dependencies(header_checks header_checks_${isa})
endforeach()

simdrop_check_headers(header_gate_sees_missing cpp ${root}/tests/gates/headers/missing_include.h)
simdrop_check_headers(header_gate_sees_twice cpp ${root}/tests/gates/headers/no_pragma_once.h)

# Two builds of one folder must not run at once.
function(simdrop_header_test test target)
  add_test(NAME ${test}
    COMMAND ${CMAKE_COMMAND} --build ${PROJECT_BINARY_DIR} --target ${target} --parallel 2)
  set_tests_properties(${test} PROPERTIES RESOURCE_LOCK header_checks)
endfunction()
simdrop_header_test(headers.standalone header_checks)
simdrop_header_test(headers.gate_sees_missing header_gate_sees_missing)
set_tests_properties(headers.gate_sees_missing PROPERTIES
  PASS_REGULAR_EXPRESSION "missing_include.h.*size_t")
simdrop_header_test(headers.gate_sees_twice header_gate_sees_twice)
set_tests_properties(headers.gate_sees_twice PROPERTIES
  PASS_REGULAR_EXPRESSION "no_pragma_once.h.*redefinition")
