# Tests of the shared library as a file: what it exports, what loading it runs, how large it is.
# Sanitizers and libc++ have symbols of their own.
get_target_property(library_type simdrop TYPE)
if(NOT library_type STREQUAL "SHARED_LIBRARY" OR NOT SIMDROP_HAVE_VERSION_SCRIPT
   OR NOT CMAKE_SIZEOF_VOID_P EQUAL 8 OR CMAKE_CXX_FLAGS MATCHES "-fsanitize|libc\\+\\+")
  return()
endif()
set(library_data ${PROJECT_SOURCE_DIR}/tests/data)
set(check_exports ${CMAKE_COMMAND} -D NM=${CMAKE_NM}
                  -D LIST=${library_data}/exported_symbols.txt)
set(check_exports_script -P ${PROJECT_SOURCE_DIR}/cmake/gates/check_exports.cmake)
add_library(simdrop_empty SHARED ${PROJECT_SOURCE_DIR}/tests/gates/empty_library.cpp)
add_library(simdrop_loads_code SHARED ${PROJECT_SOURCE_DIR}/tests/gates/loads_code.cpp)

add_test(NAME symbols.exported
  COMMAND ${check_exports} -D LIBRARY=$<TARGET_FILE:simdrop> ${check_exports_script})
# Adds to the list; with -D REMOVE=ON the script takes out, too.
add_custom_target(update_exported_symbols
  COMMAND ${check_exports} -D UPDATE=ON -D LIBRARY=$<TARGET_FILE:simdrop> ${check_exports_script}
  VERBATIM)

function(simdrop_load_code_test name library)
  add_test(NAME ${name}
    COMMAND ${CMAKE_COMMAND} -D NM=${CMAKE_NM} -D READELF=${CMAKE_READELF}
            -D LIBRARY=$<TARGET_FILE:${library}> -D EMPTY=$<TARGET_FILE:simdrop_empty>
            -P ${PROJECT_SOURCE_DIR}/cmake/gates/check_load_code.cmake)
endfunction()
simdrop_load_code_test(symbols.no_load_code simdrop)

# The gates themselves must see what they are for.
add_test(NAME symbols.gate_sees_removed
  COMMAND ${check_exports} -D LIBRARY=$<TARGET_FILE:simdrop_empty> ${check_exports_script})
set_tests_properties(symbols.gate_sees_removed PROPERTIES
  PASS_REGULAR_EXPRESSION "the ABI only grows.*_ZN7simdrop")
add_test(NAME symbols.gate_sees_added
  COMMAND ${CMAKE_COMMAND} -D NM=${CMAKE_NM} -D LIST=/dev/null -D LIBRARY=$<TARGET_FILE:simdrop>
          ${check_exports_script})
set_tests_properties(symbols.gate_sees_added PROPERTIES
  PASS_REGULAR_EXPRESSION "does[ \n]+not[ \n]+name:.*_ZN7simdrop")
simdrop_load_code_test(symbols.gate_sees_load_code simdrop_loads_code)
set_tests_properties(symbols.gate_sees_load_code PROPERTIES
  PASS_REGULAR_EXPRESSION "runs[ \n]+code:")

# The project's own bar: 1.5 MiB with all tables of x86.
if(CMAKE_BUILD_TYPE STREQUAL "Release" AND "avx512" IN_LIST SIMDROP_ISAS)
  add_test(NAME symbols.size
    COMMAND ${CMAKE_COMMAND} -D STRIP=${CMAKE_STRIP} -D LIBRARY=$<TARGET_FILE:simdrop>
            -D COPY=${PROJECT_BINARY_DIR}/stripped_library.so -D LIMIT=1572864
            -P ${PROJECT_SOURCE_DIR}/cmake/gates/check_size.cmake)
endif()
