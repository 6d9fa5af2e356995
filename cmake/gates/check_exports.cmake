# cmake -D NM=... -D LIBRARY=... -D LIST=... [-D UPDATE=ON [-D REMOVE=ON]] -P check_exports.cmake
# Fails unless the shared LIBRARY exports what LIST names, one mangled name a line. UPDATE adds what
# is new to LIST; REMOVE, before a release or with a new SONAME alone, takes out what is gone.
execute_process(COMMAND ${NM} -D --defined-only --format=posix ${LIBRARY}
                OUTPUT_VARIABLE listing COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "[^\n]+" lines "${listing}")
set(exported "")
foreach(line IN LISTS lines)
  string(REGEX REPLACE "[ @].*" "" symbol "${line}")
  # A version's own entry is no symbol to link with, and an inline function of a header, which some
  # compilers leave here without optimisation, is in the program that calls it.
  if(symbol MATCHES "^SIMDROP_[0-9]+$" OR line MATCHES ":$" OR line MATCHES "^_ZNK?7simdrop[^ ]* W ")
    continue()
  endif()
  list(APPEND exported ${symbol})
endforeach()
list(REMOVE_DUPLICATES exported)
list(SORT exported)

set(listed "")
if(EXISTS ${LIST})
  file(STRINGS ${LIST} listed)
endif()
set(added ${exported})
set(removed ${listed})
list(REMOVE_ITEM added ${listed})
list(REMOVE_ITEM removed ${exported})

function(readable output)
  find_program(CXXFILT NAMES c++filt llvm-cxxfilt)
  set(text "")
  foreach(symbol IN LISTS ARGN)
    set(meaning "")
    if(CXXFILT)
      execute_process(COMMAND ${CXXFILT} ${symbol} OUTPUT_VARIABLE meaning
                      OUTPUT_STRIP_TRAILING_WHITESPACE)
    endif()
    string(APPEND text "\n  ${symbol}\n    ${meaning}")
  endforeach()
  set(${output} "${text}" PARENT_SCOPE)
endfunction()

if(removed AND NOT REMOVE)
  readable(text ${removed})
  message(FATAL_ERROR "the ABI only grows, and ${LIBRARY} no longer exports:${text}\n"
    "Programs that were linked with it would not start: keep these functions, and give a changed "
    "one a new name.")
endif()
if(UPDATE)
  list(JOIN exported "\n" text)
  file(WRITE ${LIST} "${text}\n")
elseif(added)
  readable(text ${added})
  message(FATAL_ERROR "${LIBRARY} exports what ${LIST} does not name:${text}\n"
    "If that is documented API: cmake --build BUILD_FOLDER --target update_exported_symbols, and "
    "commit the list. Else hide it.")
endif()
list(LENGTH exported count)
message(STATUS "${count} symbols exported, all of them listed")
