# Tests that an object compiled for one instruction set shares no symbol with the rest of a
# program: the objects of this build and, beside an optimised one, those of -O0, where nothing is
# inlined.
set(expect_own_symbols -D NM=${CMAKE_NM} -P ${PROJECT_SOURCE_DIR}/cmake/gates/check_symbols.cmake)

# simdrop_symbol_gate(TEST ISA LIBRARY): of an object library
function(simdrop_symbol_gate test isa object)
  add_test(NAME ${test}
    COMMAND ${CMAKE_COMMAND} -D ISA=${isa} -D "OBJECTS=$<TARGET_OBJECTS:${object}>"
            ${expect_own_symbols})
endfunction()

# simdrop_symbol_gate_O0(TEST ISA SOURCES...)
function(simdrop_symbol_gate_O0 test isa)
  string(MAKE_C_IDENTIFIER simdrop_${test} object)
  simdrop_isa_object(${object} ${isa} ${ARGN})
  target_compile_options(${object} PRIVATE -O0)
  set_target_properties(${object} PROPERTIES EXPORT_COMPILE_COMMANDS OFF)  # editors and clang-tidy
  simdrop_symbol_gate(${test} ${isa} ${object})
endfunction()

# NEON has no flags of its own: all of an AArch64 program is compiled for it, so it does not matter
# whose copy of a function runs (and xsimd 8.1 goes through std::tuple there). Sanitizers add symbols
# of their own, so their builds have no gate.
set(gated)
foreach(isa IN LISTS SIMDROP_ISAS)
  if(SIMDROP_FLAGS_${isa} AND NOT CMAKE_CXX_FLAGS MATCHES "-fsanitize")
    list(APPEND gated ${isa})
  endif()
endforeach()

foreach(isa IN LISTS gated)
  simdrop_symbol_gate(symbols.${isa}.built ${isa} simdrop_kernels_${isa})
endforeach()

# In an optimised build for developers (clang): a user has no use for it, an emulator changes no
# symbol, and builds without optimisation have these.
if(gated AND CMAKE_BUILD_TYPE STREQUAL "Release" AND SIMDROP_WERROR AND NOT CMAKE_CROSSCOMPILING)
  foreach(isa IN LISTS gated)
    simdrop_symbol_gate_O0(symbols.${isa}.O0 ${isa} ${SIMDROP_KERNEL_SOURCES})
  endforeach()

  # The gate itself must catch the two ways in which symbols leak.
  list(GET gated 0 isa)
  simdrop_symbol_gate_O0(symbols.gate_sees_xsimd ${isa}
                         ${PROJECT_SOURCE_DIR}/tests/gates/leaks_xsimd.cpp)
  set_tests_properties(symbols.gate_sees_xsimd PROPERTIES
    PASS_REGULAR_EXPRESSION "shared symbols:[^a-z]*_ZN[A-Z0-9]*5xsimd")
  simdrop_symbol_gate_O0(symbols.gate_sees_std ${isa}
                         ${PROJECT_SOURCE_DIR}/tests/gates/leaks_std.cpp)
  set_tests_properties(symbols.gate_sees_std PROPERTIES
    PASS_REGULAR_EXPRESSION "shared symbols:[^a-z]*_ZSt3minIfE")
endif()
