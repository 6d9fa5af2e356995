# cmake -D BUILD=... -D SOURCE=... -D WORK=... -D RELEASE=ON|OFF -P install.cmake
# Installs the library into WORK/prefix, by way of another folder: an installed tree may be moved.
# Fails if a file in it names the build's folders, or if one is missing.
file(REMOVE_RECURSE ${WORK})
foreach(component runtime dev)
  execute_process(
    COMMAND ${CMAKE_COMMAND} --install ${BUILD} --prefix ${WORK}/first --component ${component}
    OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
endforeach()
file(RENAME ${WORK}/first ${WORK}/prefix)

file(GLOB_RECURSE files LIST_DIRECTORIES FALSE RELATIVE ${WORK}/prefix ${WORK}/prefix/*)
foreach(wanted include/simdrop/mlp\\.hpp lib.*/cmake/simdrop/simdropConfig\\.cmake
        lib.*/cmake/simdrop/simdropConfigVersion\\.cmake
        lib.*/cmake/simdrop/simdropTargets\\.cmake lib.*/pkgconfig/simdrop\\.pc
        "lib.*/libsimdrop\\.(a|so)")
  if(NOT ";${files};" MATCHES ";${wanted};")
    message(FATAL_ERROR "not installed: ${wanted}; but\n${files}")
  endif()
endforeach()
foreach(file IN LISTS files)
  foreach(folder ${SOURCE} ${BUILD} ${WORK})
    # Of a binary, strings; debug information names sources, and is for the stripping to remove.
    if(file MATCHES "\\.(a|so[.0-9]*)$" AND NOT RELEASE)
      continue()
    endif()
    file(STRINGS ${WORK}/prefix/${file} lines)
    string(FIND "${lines}" "${folder}" position)
    if(NOT position EQUAL -1)
      message(FATAL_ERROR "${file} names ${folder}: it would break when it is moved")
    endif()
  endforeach()
endforeach()
