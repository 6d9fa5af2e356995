# cmake -D CXX=... -D ID=GNU|Clang|AppleClang -D "PINNED=flags" -D SOURCE=... -D WORK=folder -P ...
# Asks the compiler which modes are in force on a command line that ends with PINNED: those must be
# the same whatever it begins with. src/base/compiler_modes.h must refuse what comes after PINNED.
set(hostile
  -ffast-math -Ofast -funsafe-math-optimizations -ffinite-math-only
  "-fassociative-math -fno-signed-zeros -fno-trapping-math" -freciprocal-math -fno-signed-zeros
  -frounding-math -ffp-contract=fast -flto)
set(refused -ffast-math -ffinite-math-only)
if(ID STREQUAL "GNU")
  set(more -fsingle-precision-constant -fcx-limited-range -fsignaling-nans)
  if(PINNED MATCHES "-mfpmath=sse")
    list(APPEND more -mfpmath=387)
    list(APPEND refused -mfpmath=387)
  endif()
  list(APPEND refused -funsafe-math-optimizations -freciprocal-math -fno-signed-zeros
       "-fassociative-math -fno-signed-zeros -fno-trapping-math" -fsingle-precision-constant)
else()
  set(more -ffp-model=fast -fapprox-func -fdenormal-fp-math=preserve-sign
      "-fno-honor-nans -fno-honor-infinities")
endif()
list(APPEND hostile ${more})
list(JOIN hostile " " together)
list(APPEND hostile "${together}")

# modes(RESULT FLAGS...): what the compiler says of these flags, but for names of files, modes that
# are spelt out and yet the default, and those of complex numbers, which simdrop has not.
function(modes result)
  if(ID STREQUAL "GNU")
    set(all "")
    foreach(class common optimizers target)
      execute_process(COMMAND ${CXX} ${ARGN} -Q --help=${class} OUTPUT_VARIABLE text
                      COMMAND_ERROR_IS_FATAL ANY)
      string(APPEND all "${text}")
    endforeach()
    string(REGEX REPLACE "[^\n]*<file>[^\n]*" "" all "${all}")
  else()
    execute_process(COMMAND ${CXX} ${ARGN} -w -\#\#\# -c -x c++ /dev/null -o none
                    ERROR_VARIABLE text COMMAND_ERROR_IS_FATAL ANY)
    string(REGEX MATCH "[^\n]*\"-cc1\"[^\n]*" all "${text}")
    string(REGEX REPLACE " \"(-ffp-exception-behavior=ignore|-complex-range=[a-z]+)\"" "" all
           "${all}")
  endif()
  if(NOT all MATCHES "contract")
    message(FATAL_ERROR "cannot read the modes of ${CXX}:\n${all}")
  endif()
  set(${result} "${all}" PARENT_SCOPE)
endfunction()

modes(ordinary -O2 ${PINNED})
foreach(flags IN LISTS hostile)
  separate_arguments(words UNIX_COMMAND "${flags}")
  modes(actual ${words} -O2 ${PINNED})
  if(NOT actual STREQUAL ordinary)
    message(FATAL_ERROR "${flags} is not taken back:\n${actual}\nwithout it:\n${ordinary}")
  endif()
endforeach()

file(WRITE ${WORK}/modes.cpp "#include \"base/compiler_modes.h\"\n")
function(compile result flags)
  separate_arguments(flags UNIX_COMMAND "${flags}")
  execute_process(
    COMMAND ${CXX} -std=c++20 -I${SOURCE}/src ${PINNED} ${flags} -fsyntax-only ${WORK}/modes.cpp
    RESULT_VARIABLE status ERROR_VARIABLE errors)
  string(REGEX MATCHALL "error:" count "${errors}")
  list(LENGTH count count)
  set(${result} "status ${status}, ${count} errors\n${errors}" PARENT_SCOPE)
endfunction()
compile(accepted "")
if(NOT accepted STREQUAL "status 0, 0 errors\n")
  message(FATAL_ERROR "the pinned modes themselves: ${accepted}")
endif()
foreach(flags IN LISTS refused)
  compile(answer "${flags}")
  if(NOT answer MATCHES "^status 1, 1 errors\n.*simdrop: (no -ffast-math|float and double must be)")
    message(FATAL_ERROR "${flags} after all others is not refused by one line: ${answer}")
  endif()
endforeach()
