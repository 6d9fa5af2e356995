# What a project may expect of a part of it: that nothing of its own changes.

# A macro: a function has variables of its own.
macro(remember_variables)
  get_cmake_property(remembered VARIABLES)
  foreach(variable IN LISTS remembered)
    set(remembered_${variable} "${${variable}}")
  endforeach()
endmacro()

macro(expect_unchanged_variables)
  foreach(variable IN LISTS remembered)
    # Matches of the last regular expression and this macro's own variables change by themselves.
    if(NOT variable MATCHES "^(remembered|variable$|CMAKE_MATCH_)"
       AND NOT "${${variable}}" STREQUAL "${remembered_${variable}}")
      message(FATAL_ERROR "simdrop changed ${variable} of its parent from "
              "'${remembered_${variable}}' to '${${variable}}'")
    endif()
  endforeach()
  get_cmake_property(now VARIABLES)
  foreach(variable IN LISTS now)
    if(variable MATCHES "^(CMAKE_CXX_STANDARD|CMAKE_POSITION|CMAKE_.*VISIBILITY|BUILD_|CPACK_)"
       AND NOT variable IN_LIST remembered)
      message(FATAL_ERROR "simdrop set ${variable} of its parent to '${${variable}}'")
    endif()
  endforeach()
  foreach(property COMPILE_OPTIONS COMPILE_DEFINITIONS INCLUDE_DIRECTORIES LINK_OPTIONS TESTS)
    get_property(value DIRECTORY PROPERTY ${property})
    if(value)
      message(FATAL_ERROR "simdrop set ${property} of its parent to ${value}")
    endif()
  endforeach()
endmacro()

# Neither programs nor tests, benchmarks or install rules: the library, and what it is made of.
function(expect_only_the_library folder)
  get_property(folders DIRECTORY ${folder} PROPERTY SUBDIRECTORIES)
  foreach(each IN LISTS folders)
    expect_only_the_library(${each})
  endforeach()
  get_property(targets DIRECTORY ${folder} PROPERTY BUILDSYSTEM_TARGETS)
  get_property(tests DIRECTORY ${folder} PROPERTY TESTS)
  list(FILTER targets EXCLUDE REGEX "^simdrop(_objects|_options|_kernels_[a-z0-9]+)?$")
  if(targets OR tests)
    message(FATAL_ERROR "${folder} adds targets ${targets} and tests ${tests} to its parent")
  endif()
endfunction()
