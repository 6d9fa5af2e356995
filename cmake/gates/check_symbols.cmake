# cmake -D NM=... -D ISA=... -D OBJECT=... -P check_symbols.cmake
# Fails if OBJECT defines a symbol that the linker could take for another object's: any global or
# weak one, but for those of the renamed namespace xsimd_<ISA> and the table's own function.
execute_process(COMMAND ${NM} --defined-only --extern-only --format=posix ${OBJECT}
                OUTPUT_VARIABLE listing COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "[^\n]+" lines "${listing}")

string(LENGTH xsimd_${ISA} namespace_length)
string(LENGTH kernel_table_${ISA} table_length)
set(table _ZN7simdrop6detail${table_length}kernel_table_${ISA}Ev)
set(table_found FALSE)
set(shared "")
foreach(line IN LISTS lines)
  string(REGEX REPLACE " .*" "" symbol "${line}")
  if(symbol STREQUAL table)
    set(table_found TRUE)
  elseif(NOT symbol MATCHES "${namespace_length}xsimd_${ISA}")
    string(APPEND shared "\n  ${line}")
  endif()
endforeach()

if(NOT table_found)
  message(FATAL_ERROR "${OBJECT} does not define ${table}; nm said:\n${listing}")
endif()
if(shared)
  message(FATAL_ERROR "${OBJECT} defines shared symbols:${shared}")
endif()
list(LENGTH lines count)
message(STATUS "${ISA}: ${count} global or weak symbols, all its own")
