# Tests that the compiler's modes are pinned and that the sources refuse others.
function(simdrop_modes_test name)
  add_test(NAME modes.${name}
    COMMAND ${CMAKE_COMMAND} -D CXX=${CMAKE_CXX_COMPILER} -D ID=${CMAKE_CXX_COMPILER_ID}
            -D "PINNED=${ARGN}" -D SOURCE=${PROJECT_SOURCE_DIR} -D WORK=${PROJECT_BINARY_DIR}/modes
            -P ${PROJECT_SOURCE_DIR}/cmake/gates/check_modes.cmake)
endfunction()
simdrop_modes_test(pinned $<TARGET_PROPERTY:simdrop_options,INTERFACE_COMPILE_OPTIONS>)
# The gate must see what is not pinned.
simdrop_modes_test(gate_sees_fast_math -O2)
set_tests_properties(modes.gate_sees_fast_math PROPERTIES
  PASS_REGULAR_EXPRESSION "-ffast-math is not taken back")
