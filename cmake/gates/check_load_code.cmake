# cmake -D NM=... -D READELF=... -D LIBRARY=... -D EMPTY=... -P check_load_code.cmake
# Fails if loading the shared LIBRARY (not stripped) runs code of its own: static constructors or
# resolvers of indirect functions. EMPTY is a library without any code, from the same compiler: the
# C runtime puts an entry or two into every library.
function(initializers output library)
  execute_process(COMMAND ${READELF} -d ${library}
                  OUTPUT_VARIABLE dynamic COMMAND_ERROR_IS_FATAL ANY)
  set(found "")
  foreach(tag INIT_ARRAYSZ PREINIT_ARRAYSZ INIT)
    if(dynamic MATCHES "\\(${tag}\\) +([0-9]+)")
      list(APPEND found "${tag} ${CMAKE_MATCH_1}")
    elseif(dynamic MATCHES "\\(${tag}\\)")
      list(APPEND found ${tag})
    endif()
  endforeach()
  if(NOT dynamic MATCHES "\\(SYMTAB\\)")
    message(FATAL_ERROR "cannot read what ${READELF} says about ${library}:\n${dynamic}")
  endif()
  set(${output} "${found}" PARENT_SCOPE)
endfunction()

initializers(expected ${EMPTY})
initializers(actual ${LIBRARY})

execute_process(COMMAND ${NM} --defined-only --format=posix ${LIBRARY}
                OUTPUT_VARIABLE listing COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL
  "[^\n]*(_GLOBAL__sub_I|_GLOBAL__I_|__static_initialization|__cxx_global_var_init)[^\n]*"
  constructors "${listing}")
string(REGEX MATCHALL "[^\n ]+ i [^\n]*" resolvers "${listing}")
if(NOT listing MATCHES "[^\n]+ [tT] ")
  message(FATAL_ERROR "${LIBRARY} has no symbols to look at: is it stripped?")
endif()
if(constructors OR resolvers)
  list(JOIN constructors "\n  " text)
  list(JOIN resolvers "\n  " more)
  message(FATAL_ERROR "loading ${LIBRARY} runs code:\n  ${text}\n  ${more}")
endif()
if(NOT "${actual}" STREQUAL "${expected}")
  message(FATAL_ERROR "loading ${LIBRARY} runs code: it has ${actual}, an empty library ${expected}")
endif()
message(STATUS "loading runs nothing but relocation (${actual}, as in an empty library)")
