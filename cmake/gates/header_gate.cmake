# Tests that every header of src and include compiles by itself, and twice in one file: a generated
# source a header does so. They are built by the test alone, which is quick where nothing changed.
# Cross builds and sanitizers would find nothing else.
if(CMAKE_CROSSCOMPILING OR CMAKE_CXX_FLAGS MATCHES "-fsanitize")
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

# simdrop_check_headers(TARGET LANGUAGE HEADERS...)
function(simdrop_check_headers target language)
  simdrop_header_sources(sources ${language} ${ARGN})
  add_library(${target} OBJECT EXCLUDE_FROM_ALL ${sources})
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/include
                                               ${PROJECT_SOURCE_DIR}/src)
  target_compile_options(${target} PRIVATE -O0)
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
# The headers of the kernels do not stand alone yet, but for what the library includes of them.
list(FILTER kernel_headers INCLUDE REGEX [[/src/kernels/(kernel_table|product_kernels)\.h$]])
# What belongs to one instruction set; x86.h is of two.
set(of_one_isa [[/kernels/isa/(scalar|x86|avx2|avx512|neon)\.h$]])
set(isa_headers ${kernel_headers})
list(FILTER isa_headers INCLUDE REGEX ${of_one_isa})
list(FILTER kernel_headers EXCLUDE REGEX ${of_one_isa})

# simdrop_kernel_headers(RESULT NAMES): those of the kernels that an instruction set compiles, with
# isa/NAME.h for the NAMES, which stand between | in a regular expression.
function(simdrop_kernel_headers result names)
  set(own ${isa_headers})
  list(FILTER own INCLUDE REGEX "/(${names})\\.h$")
  set(${result} ${kernel_headers} ${own} PARENT_SCOPE)
endfunction()

simdrop_kernel_headers(scalar_headers scalar)
simdrop_check_headers(header_checks_cpp cpp ${public_headers} ${headers} ${scalar_headers})
target_include_directories(header_checks_cpp SYSTEM PRIVATE
  $<TARGET_PROPERTY:simdrop_json,INTERFACE_INCLUDE_DIRECTORIES>)

list(FILTER public_headers INCLUDE REGEX \\.h$)
simdrop_check_headers(header_checks_c c ${public_headers})
set_target_properties(header_checks_c PROPERTIES
  C_STANDARD 99 C_STANDARD_REQUIRED ON C_EXTENSIONS OFF)

add_custom_target(header_checks)
add_dependencies(header_checks header_checks_cpp header_checks_c)

# Those of the kernels once more for each instruction set. What one defines another one uses.
foreach(isa scalar ${SIMDROP_ISAS})
  string(REGEX REPLACE "^avx.*$" "x86|\\0" names ${isa})
  simdrop_kernel_headers(headers_of_isa ${names})
  simdrop_header_sources(sources cpp ${headers_of_isa})
  set_source_files_properties(${sources} PROPERTIES
    COMPILE_OPTIONS "-Wno-unused-function;-Wno-unused-variable")
  if(NOT isa STREQUAL "scalar")
    simdrop_isa_object(header_checks_${isa} ${isa} ${sources})
    target_compile_options(header_checks_${isa} PRIVATE -O0)
    set_target_properties(header_checks_${isa} PROPERTIES EXCLUDE_FROM_ALL TRUE)
    add_dependencies(header_checks header_checks_${isa})
  endif()
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
