# Tests that the files of src include what src/README.md allows, and that this check sees what it is
# for.
find_package(Python3 REQUIRED COMPONENTS Interpreter)

# simdrop_layer_test(TEST FOLDER [MESSAGE]): with a MESSAGE, what the check must find there.
function(simdrop_layer_test test folder)
  add_test(NAME ${test} COMMAND ${Python3_EXECUTABLE} -B
                                ${PROJECT_SOURCE_DIR}/cmake/gates/check_layers.py ${folder})
  if(ARGC GREATER 2)
    set_tests_properties(${test} PROPERTIES PASS_REGULAR_EXPRESSION "${ARGV2}")
  endif()
endfunction()

simdrop_layer_test(layers ${PROJECT_SOURCE_DIR}/src)
set(fixtures ${PROJECT_SOURCE_DIR}/tests/gates/layers)
simdrop_layer_test(layers.gate_sees_forbidden ${fixtures}/forbidden
                   "low/bottom.h: includes high/top.h: the page does not let low include high")
simdrop_layer_test(layers.gate_sees_private ${fixtures}/private
                   "high/top.h: includes low/inside/detail.h, which is private to low")
simdrop_layer_test(layers.gate_sees_circle ${fixtures}/circle
                   "a circle of includes: low/a -> low/b -> low/a")
