# cmake -D CXX=... -D PKG_CONFIG=... -D PREFIX=... -D LIBDIR=... -D FOLDER=... -D WORK=...
#       -D ORDINARY=program -P modes.cmake
# Programs whose compiler modes are not those of the installed library: they get its results, or one
# line that says what is wrong.
file(MAKE_DIRECTORY ${WORK})
include(${CMAKE_CURRENT_LIST_DIR}/pkg_config_flags.cmake)
set(ENV{LD_LIBRARY_PATH} ${PREFIX}/${LIBDIR})

# compile(RESULT SOURCE FLAGS...): "" or what the compiler or the linker says.
function(compile result source)
  execute_process(
    COMMAND ${CXX} ${ARGN} ${compile_flags} ${FOLDER}/${source} -o ${WORK}/program ${link_flags}
    RESULT_VARIABLE status ERROR_VARIABLE errors)
  if(status EQUAL 0)
    set(errors "")
  endif()
  set(${result} "${errors}" PARENT_SCOPE)
endfunction()

# compiles(SOURCE FLAGS...): and runs.
function(compiles output source)
  compile(errors ${source} ${ARGN})
  if(errors)
    message(FATAL_ERROR "${source} with ${ARGN}:\n${errors}")
  endif()
  execute_process(COMMAND ${WORK}/program OUTPUT_VARIABLE text COMMAND_ERROR_IS_FATAL ANY)
  set(${output} "${text}" PARENT_SCOPE)
endfunction()

# is_refused(SOURCE ERRORS TEXT FLAGS...): by so many errors (or any number), which say TEXT.
function(is_refused source count text)
  compile(errors ${source} ${ARGN})
  string(REGEX MATCHALL "error:" found "${errors}")
  list(LENGTH found found)
  if(NOT errors MATCHES "${text}" OR NOT (count STREQUAL "any" OR found EQUAL count))
    message(FATAL_ERROR "${source} with ${ARGN}: wanted ${count} errors with '${text}', "
                        "got ${found}:\n${errors}")
  endif()
endfunction()

execute_process(COMMAND ${ORDINARY} OUTPUT_VARIABLE ordinary COMMAND_ERROR_IS_FATAL ANY)
foreach(standard 11 14 17 20)
  compiles(output hostile_parent/bits.cpp -std=c++${standard} -Ofast -ffast-math -fno-exceptions
           -fno-rtti -fshort-enums -funsigned-char -Wall -Wextra -pedantic-errors -Werror)
  if(NOT output STREQUAL ordinary)
    message(FATAL_ERROR "a program of C++${standard} with -ffast-math gets other bits:\n${output}"
                        "elsewhere:\n${ordinary}")
  endif()
endforeach()
compiles(output consumer.cpp -std=c++20 -Ofast -ffast-math -fno-rtti)

is_refused(consumer.cpp 1 "simdrop needs C\\+\\+20" -std=c++17)
is_refused(consumer.cpp any "needs_a_simdrop_built_with_GLIBCXX_DEBUG" -std=c++20 -D_GLIBCXX_DEBUG)
