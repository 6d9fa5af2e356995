# cmake -D BUILD=... -D WORK=... -D VERSION=... -D SOVERSION=... -D SOURCE=... -P packages.cmake
# Makes the Debian packages of the built tree and looks at what is in them.
file(REMOVE_RECURSE ${WORK})
execute_process(COMMAND ${CMAKE_CPACK_COMMAND} -G DEB -B ${WORK} WORKING_DIRECTORY ${BUILD}
                OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)

# expect(PACKAGE FIELDS_REGEX FILES...): a package with such fields and with these files, by regex.
function(expect package fields)
  file(GLOB path ${WORK}/${package}_${VERSION}-*.deb)
  execute_process(COMMAND dpkg-deb --field ${path} OUTPUT_VARIABLE actual_fields
                  COMMAND_ERROR_IS_FATAL ANY)
  if(NOT actual_fields MATCHES "${fields}")
    message(FATAL_ERROR "${package} lacks ${fields}:\n${actual_fields}")
  endif()
  execute_process(COMMAND dpkg-deb --contents ${path} OUTPUT_VARIABLE contents
                  COMMAND_ERROR_IS_FATAL ANY)
  foreach(file IN LISTS ARGN)
    if(NOT contents MATCHES " \\./usr/${file}(\n| ->)")
      message(FATAL_ERROR "${package} lacks ${file}:\n${contents}")
    endif()
  endforeach()
endfunction()

if(SHARED)
  expect(libsimdrop${SOVERSION} "Depends: [^\n]*libstdc\\+\\+6"
    "lib[^\n]*/libsimdrop\\.so\\.${VERSION}" "share/doc/libsimdrop${SOVERSION}/copyright")
  expect(libsimdrop-dev "Depends: libsimdrop${SOVERSION} \\(= ${VERSION}-"
    "lib[^\n]*/libsimdrop\\.so")
endif()
expect(libsimdrop-dev "Section: libdevel" "include/simdrop/simdrop\\.h"
  "include/simdrop/mlp\\.hpp" "lib[^\n]*/pkgconfig/simdrop\\.pc"
  "lib[^\n]*/cmake/simdrop/simdropConfig\\.cmake" "share/doc/libsimdrop-dev/copyright")

# The other package files tell the same version.
file(READ ${SOURCE}/cmake/packaging/vcpkg/vcpkg.json port)
string(JSON port_version GET "${port}" version)
if(NOT port_version STREQUAL VERSION)
  message(FATAL_ERROR "vcpkg.json is of version ${port_version}, simdrop of ${VERSION}")
endif()
