# What the folders of tests register their programs with. README.md says what the labels mean.

# simdrop_add_tests(PROGRAM SOURCES ... [LIBRARIES ...] [EMULATED])
# A program of doctest cases. EMULATED: .ci/run also runs all of it on an emulated CPU that has
# AVX2 and not AVX-512, which the layers above the kernels cannot tell from SIMDROP_FORCE_ISA=avx2.
function(simdrop_add_tests program)
  cmake_parse_arguments(PARSE_ARGV 1 arg "EMULATED" "" "SOURCES;LIBRARIES")
  add_executable(${program} ${arg_SOURCES} $<TARGET_OBJECTS:simdrop_test_main>)
  target_link_libraries(${program} PRIVATE simdrop_tests ${arg_LIBRARIES})
  # One program precompiles them for all. As it is set by default, ccache keeps no such object.
  if(CMAKE_CXX_COMPILER_LAUNCHER)
    set_target_properties(${program} PROPERTIES DISABLE_PRECOMPILE_HEADERS ON)
  elseif(NOT program STREQUAL reference_tests)
    target_precompile_headers(${program} REUSE_FROM reference_tests)
  endif()
  if(arg_EMULATED)
    set_property(GLOBAL APPEND_STRING PROPERTY simdrop_emulated_tests "${program}\n")
  endif()
endfunction()

# simdrop_make_calls_faulty(PROGRAM)
# Its calls on files lead to failures/faulty_calls.cpp, which may make them fail.
function(simdrop_make_calls_faulty program)
  target_sources(${program} PRIVATE ${PROJECT_SOURCE_DIR}/tests/failures/faulty_calls.cpp
                                    ${PROJECT_SOURCE_DIR}/tests/helpers/count_allocations.cpp)
  foreach(call open write pread fsync close rename fchmod fchown stat fstat readlink fcntl)
    target_link_options(${program} PRIVATE LINKER:--wrap=${call})
  endforeach()
endfunction()

# simdrop_register(TEST COMMAND ... [ISA name] [LABELS ...] [ENVIRONMENT ...])
# A CTest. ISA: on this instruction set, or skipped where the CPU lacks it.
function(simdrop_register test)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "ISA" "COMMAND;LABELS;ENVIRONMENT")
  if(arg_ISA)
    list(APPEND arg_ENVIRONMENT SIMDROP_FORCE_ISA=${arg_ISA})
  endif()
  if(CMAKE_CROSSCOMPILING_EMULATOR)
    list(APPEND arg_ENVIRONMENT SIMDROP_TEST_EMULATED=1)
  endif()
  add_test(NAME ${test} COMMAND ${arg_COMMAND})
  set_tests_properties(${test} PROPERTIES
    LABELS "${arg_LABELS}"
    ENVIRONMENT "${arg_ENVIRONMENT}"
    # A filter that selects nothing must not pass.
    FAIL_REGULAR_EXPRESSION "test cases: +0 "
    SKIP_RETURN_CODE 77)
endfunction()

# simdrop_register_isas(TEST COMMAND ... [LABELS ...])
# TEST.<name> for each instruction set that is compiled.
function(simdrop_register_isas test)
  foreach(isa scalar ${SIMDROP_ISAS})
    simdrop_register(${test}.${isa} ${ARGN} ISA ${isa})
  endforeach()
endfunction()

# Whether it has the modules that simdrop_wanted_modules names.
function(simdrop_has_modules result python)
  execute_process(COMMAND ${python} -c "import ${simdrop_wanted_modules}"
                  RESULT_VARIABLE failed ERROR_QUIET)
  if(failed)
    set(${result} FALSE PARENT_SCOPE)
  endif()
endfunction()

# simdrop_register_python(TEST SCRIPT ...)
# A script that loads the shared library; nothing in builds without one, and in those of sanitizers,
# whose runtime must be in the program itself.
function(simdrop_register_python test)
  get_target_property(library_type simdrop TYPE)
  if(NOT library_type STREQUAL "SHARED_LIBRARY" OR CMAKE_CROSSCOMPILING
     OR CMAKE_CXX_FLAGS MATCHES "-fsanitize")
    return()
  endif()
  # One with pytest, too, if there is any.
  foreach(simdrop_wanted_modules "numpy, pytest" numpy)
    find_program(SIMDROP_PYTHON NAMES python3 PATHS /usr/bin VALIDATOR simdrop_has_modules)
  endforeach()
  if(NOT SIMDROP_PYTHON)
    message(FATAL_ERROR "simdrop: no python3 with NumPy; run cmake/bootstrap.sh, or set "
                        "SIMDROP_PYTHON to one")
  endif()
  simdrop_register(${test} COMMAND ${SIMDROP_PYTHON} -B ${ARGN}
                   ENVIRONMENT LD_LIBRARY_PATH=$<TARGET_FILE_DIR:simdrop>)
endfunction()
