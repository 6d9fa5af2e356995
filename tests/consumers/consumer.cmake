# What the C++ projects here share: the program, every public header alone in a file of its own, and
# warnings that are errors in simdrop's headers too.
function(add_consumer include_dir)
  file(GLOB_RECURSE headers RELATIVE ${include_dir} ${include_dir}/simdrop/*.h*)
  if(NOT headers)
    message(FATAL_ERROR "no headers in ${include_dir}/simdrop")
  endif()
  set(sources ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/consumer.cpp)
  foreach(header IN LISTS headers)
    string(MAKE_C_IDENTIFIER ${header} name)
    file(GENERATE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/${name}.cpp
         CONTENT "#include <${header}>\n#include <${header}>\n")
    list(APPEND sources ${CMAKE_CURRENT_BINARY_DIR}/${name}.cpp)
  endforeach()
  add_executable(consumer ${sources})
  target_link_libraries(consumer PRIVATE simdrop::simdrop)
  target_compile_options(consumer PRIVATE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Werror)
  # An imported target's headers are the system's otherwise, and silent.
  set_target_properties(consumer PROPERTIES NO_SYSTEM_FROM_IMPORTED ON)
  add_test(NAME consumer COMMAND consumer)
endfunction()
