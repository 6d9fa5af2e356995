# cmake -D NM=... -D ISA=... -D OBJECTS=... -P check_symbols.cmake
# Fails if one of OBJECTS defines a symbol that the linker could take for another object's: any
# global or weak one, but for those of the namespace simdrop::detail::<ISA> and of the renamed
# namespace xsimd_<ISA>.
string(LENGTH xsimd_${ISA} xsimd_length)
string(LENGTH ${ISA} isa_length)
set(own "^_ZNK?7simdrop6detail${isa_length}${ISA}")
set(own_count 0)
set(count 0)
set(shared "")
foreach(object IN LISTS OBJECTS)
  execute_process(COMMAND ${NM} --defined-only --extern-only --format=posix ${object}
                  OUTPUT_VARIABLE listing COMMAND_ERROR_IS_FATAL ANY)
  string(REGEX MATCHALL "[^\n]+" lines "${listing}")
  foreach(line IN LISTS lines)
    string(REGEX REPLACE " .*" "" symbol "${line}")
    math(EXPR count "${count} + 1")
    if(symbol MATCHES "${own}")
      math(EXPR own_count "${own_count} + 1")
    elseif(NOT symbol MATCHES "${xsimd_length}xsimd_${ISA}")
      string(APPEND shared "\n  ${line}")
    endif()
  endforeach()
endforeach()

if(own_count EQUAL 0)
  message(FATAL_ERROR "no symbol of simdrop::detail::${ISA} in ${OBJECTS}")
endif()
if(shared)
  message(FATAL_ERROR "shared symbols:${shared}\nin ${OBJECTS}")
endif()
message(STATUS "${ISA}: ${count} global or weak symbols, all its own")
